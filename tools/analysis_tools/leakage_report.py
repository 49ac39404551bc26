# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Report what splits share: images, objects, sentences.

Example:
    python tools/analysis_tools/leakage_report.py data refcoco/unc/train refcocog/umd/val
    python tools/analysis_tools/leakage_report.py data --all --json leakage.json

A split is written dataset/split_by/split. COCO's images are compared by number, others by file
name; objects by image and annotation, sentences in lower case; "said alike" counts sentences that
are the same and of the same image. Each pair of the splits is compared; --all takes every split.
"""

import argparse
import json
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.inspection import (
    MEASURES,
    Leakage,
    compare_all,
    list_splits,
    parse_split_name,
    read_splits,
)

TITLES = dict(images='images', objects='objects', sentences='sentences', described='said alike')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('root', type=Path, help='data root')
    parser.add_argument('splits', nargs='*', help='two or more, as dataset/split_by/split')
    parser.add_argument('--all', action='store_true', help='every split of every dataset')
    parser.add_argument(
        '--measure', choices=MEASURES, default='images', help='what the matrix of --all shows'
    )
    parser.add_argument('--json', type=Path, help='write every pair to this file')
    args = parser.parse_args()
    if args.all == bool(args.splits) or len(args.splits) == 1:
        parser.error('give two splits or more, or --all')
    return args


def print_pair(pair: Leakage) -> None:
    """Print four lines with the shares of either side, and examples of what is shared."""
    print(f'{pair.first} and {pair.second}')
    for name in MEASURES:
        shared, first, second = pair.shared[name], pair.of_first[name], pair.of_second[name]
        shares = ' and '.join(
            f'{100 * shared / max(total, 1):.1f} % of {total}' for total in (first, second)
        )
        print(f'  {TITLES[name]:10} {shared:7} shared, {shares}')
    for name in ('images', 'described'):
        for example in pair.examples.get(name, []):
            print(f'    {example if isinstance(example, str) else ": ".join(example)}')


def print_matrix(names: list[str], pairs: list[Leakage], measure: str) -> None:
    """Print how much each pair shares, each split numbered, its own size on the diagonal."""
    cells = {}
    for pair in pairs:
        cells[pair.first, pair.second] = cells[pair.second, pair.first] = pair.shared[measure]
        cells[pair.first, pair.first] = pair.of_first[measure]
        cells[pair.second, pair.second] = pair.of_second[measure]
    width = max(len(str(cells[key])) for key in cells) + 2
    label = max(map(len, names)) + 4
    print(f'{measure} shared')
    print(' ' * label + ''.join(str(i + 1).rjust(width) for i in range(len(names))))
    for i, row in enumerate(names):
        line = ''.join(str(cells[row, column]).rjust(width) for column in names)
        print(f'{i + 1:2}  {row}'.ljust(label) + line)


def main() -> None:
    args = parse_args()
    names = list_splits(args.root) if args.all else [parse_split_name(s) for s in args.splits]
    if len(set(names)) < 2:
        raise ValueError(f'two different splits are needed, got {[str(name) for name in names]}')
    pairs = compare_all(read_splits(args.root, names))
    if args.all:
        print_matrix([str(name) for name in names], pairs, args.measure)
    else:
        for pair in pairs:
            print_pair(pair)
    if args.json is not None:
        args.json.write_text(json.dumps([pair.as_dict() for pair in pairs], indent=2) + '\n')


if __name__ == '__main__':
    with errors_as_messages():
        main()
