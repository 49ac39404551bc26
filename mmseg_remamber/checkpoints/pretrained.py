# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""``init_cfg = dict(type='Pretrained', ...)`` of a backbone, whose file is loaded strictly."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from .files import read_checkpoint, weights_of


def pretrained_file(init_cfg: Mapping | Sequence[Mapping] | None) -> tuple[str, str | None] | None:
    """Checkpoint and prefix of its keys, where weights of a file are asked for.

    Args:
        init_cfg: as mmengine takes it, one config or several.

    Returns:
        None where no config is of type 'Pretrained'.

    Raises:
        ValueError: for others beside it, no ``checkpoint``, or options beside it and ``prefix``.
    """
    several = isinstance(init_cfg, Sequence)
    configs: list[Mapping] = list(init_cfg) if several else [init_cfg or {}]  # type: ignore[arg-type,list-item]
    if 'Pretrained' not in [cfg.get('type') for cfg in configs]:
        return None
    if several:
        raise ValueError(
            f"init_cfg must not have others beside type 'Pretrained', got {init_cfg!r}"
        )
    options = {key: value for key, value in configs[0].items() if key != 'type'}
    path, prefix = options.pop('checkpoint', None), options.pop('prefix', None)
    if path is None or options:
        raise ValueError(
            f'init_cfg takes checkpoint, which must be given, and prefix, got {init_cfg!r}'
        )
    return path, prefix


def read_pretrained(path: str, prefix: str | None) -> dict[str, Tensor]:
    """The weights of a file; with a prefix those whose keys begin with it, without it.

    Args:
        path: file path or URL, as :func:`read_checkpoint` takes it.
        prefix: as of a whole model; None takes all.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when no key begins with the prefix.
    """
    state = weights_of(read_checkpoint(path))
    if prefix is None:
        return state
    found = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    if not found:
        raise ValueError(
            f'{path} has no key that begins with {prefix!r}; its keys begin '
            f'{sorted({key.split(".")[0] for key in state})}'
        )
    return found
