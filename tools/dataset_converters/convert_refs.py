# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert a refs file between pickle and JSON, both ways without loss.

Example:
    python tools/dataset_converters/convert_refs.py 'data/refcoco/refs(unc).p' 'data/refcoco/refs(unc).json'

The suffixes say which is which. The pickle is read as plain data: one that would run code is
refused.
"""  # noqa: E501

import argparse
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.refer.reader import load_refs, save_refs


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, help='refs file to read, .p or .json')
    parser.add_argument('target', type=Path, help='refs file to write, .p or .json')
    parser.add_argument('--force', action='store_true', help='write over an existing file')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    for path in (args.source, args.target):
        if path.suffix not in ('.p', '.json'):
            raise ValueError(f'a refs file ends in .p or .json, got {str(path)!r}')
    if args.target.exists() and not args.force:
        raise FileExistsError(f'{args.target} exists (--force writes over it)')
    refs = load_refs(args.source)
    save_refs(refs, args.target)
    if load_refs(args.target) != refs:
        raise RuntimeError(f'{args.target} does not read back as what was written')
    print(f'{args.target}: {len(refs)} refs, read back and equal')


if __name__ == '__main__':
    with errors_as_messages():
        main()
