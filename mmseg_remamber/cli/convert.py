# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the converters of ``tools/model_converters`` share: arguments, reading and writing."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmseg_remamber.checkpoints import (
    WeightFamily,
    read_checkpoint,
    save_safetensors,
    weights_of,
    write_checkpoint,
)

State = dict[str, Tensor]


def conversion_parser(description: str) -> argparse.ArgumentParser:
    """Arguments ``src``, ``dst``, ``--to-official`` and ``--ema``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('src', help='checkpoint to read, a torch or .safetensors file')
    parser.add_argument('dst', help='file to write, .safetensors or else a torch file')
    parser.add_argument(
        '--to-official', action='store_true', help="from our keys to the authors', not from theirs"
    )
    parser.add_argument(
        '--ema', action='store_true', help="the averaged weights, 'model_ema' in the authors' file"
    )
    return parser


def convert_file(
    args: argparse.Namespace, family: WeightFamily, options: Mapping[str, str] | None = None
) -> State:
    """Convert as the arguments of :func:`conversion_parser` say.

    Args:
        args: the arguments.
        family: whose weights these are.
        options: of the family's ``to_official``.

    Returns:
        The converted weights.

    Raises:
        FileNotFoundError: when ``src`` does not exist.
        FileExistsError: when ``dst`` does.
        OSError: when ``dst`` cannot be written.
        ValueError: for a file without the weights asked for, or keys that nothing explains.
    """
    check_new(args.dst)
    content = read_checkpoint(args.src)
    state = weights_of(content, ema=args.ema and not args.to_official)
    if args.to_official:
        converted = family.to_official(state, **(options or {}))
        entry = 'model_ema' if args.ema else 'model'
        write_official(args.dst, converted, entry=entry, beside=family.beside)
    else:
        for name in family.beside:
            for key, value in content.get(name, {}).items():
                state[f'{name}.{key.removeprefix("module.")}'] = value
        converted = family.from_official(state)
        write_checkpoint(args.dst, converted, dict(converted_from=Path(args.src).name))
    return converted


def check_new(path: str) -> None:
    """Raises:
    FileExistsError: when there is a file at ``path``.
    FileNotFoundError: when there is no folder for it.
    """
    if Path(path).exists():
        raise FileExistsError(f'{path!r} exists; remove it, or write to another file')
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f'there is no folder {str(Path(path).parent)!r} to write in')


def write_official(
    path: str, state: State, *, entry: str | None, beside: Sequence[str] = ()
) -> None:
    """Write weights in another project's layout.

    Args:
        path: file to write; a ``.safetensors`` file has no entries.
        state: the weights.
        entry: name under which a torch file has them; None for a file that is the state dict.
        beside: entries of a torch file for the weights whose keys begin with their names.
    """
    if Path(path).suffix == '.safetensors':
        save_safetensors(path, state, {'format': 'pt'})
    elif entry is None:
        torch.save(state, path)
    else:
        entries: dict[str, State] = {entry: {}}
        for key, value in state.items():
            first, _, rest = key.partition('.')
            if first in beside:
                entries.setdefault(first, {})[rest] = value
            else:
                entries[entry][key] = value
        torch.save(entries, path)
