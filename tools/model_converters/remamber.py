# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn an authors' ReMamber checkpoint into this project's keys.

    python tools/model_converters/remamber.py SRC.pth DST.pth

The head is recognised from the keys; a key that nothing explains is an error.
"""

import argparse
from pathlib import Path

import torch

from mmseg_remamber.models.checkpoint import from_official, head_of
from mmseg_remamber.vmamba.checkpoint import unwrap_checkpoint


def convert(src: str, dst: str) -> str:
    """Convert a file and return its head, 'conv' or 'mamba'.

    Raises:
        FileNotFoundError: when ``src`` does not exist.
        FileExistsError: when ``dst`` does.
        ValueError: for a file that is not a ReMamber checkpoint, naming the first keys.
    """
    if not Path(src).is_file():
        raise FileNotFoundError(f'checkpoint {src!r} does not exist')
    if Path(dst).exists():
        raise FileExistsError(f'{dst!r} exists; remove it, or write to another file')
    state = unwrap_checkpoint(torch.load(src, map_location='cpu', weights_only=True))
    converted = from_official(state)
    torch.save(dict(state_dict=converted, meta=dict(converted_from=Path(src).name)), dst)
    return head_of(state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('src', help="authors' checkpoint")
    parser.add_argument('dst', help='file to write')
    args = parser.parse_args()
    head = convert(args.src, args.dst)
    print(f'{args.dst}: ReMamber with the {head} head; use it with a remamber-{head}_* config')


if __name__ == '__main__':
    main()
