# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws loss and accuracy of runs over iterations, from mmengine's scalars.json.

    python tools/analysis_tools/plot_curves.py WORK_DIR [WORK_DIR ...] --out curves.png

writes curves.png and the numbers behind it, curves.csv.
"""

import argparse
import csv
import sys
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization.curves import draw_curves, read_scalars


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dirs', nargs='+', type=Path, metavar='WORK_DIR')
    parser.add_argument('--names', nargs='+', help='of the runs; default: their folders')
    parser.add_argument('--keys', nargs='+', default=['loss', 'mIoU', 'oIoU'])
    parser.add_argument('--out', type=Path, default=Path('curves.png'))
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    names = args.names or [folder.resolve().name for folder in args.work_dirs]
    if len(set(names)) != len(args.work_dirs):
        sys.exit(f'--names must give each of {len(args.work_dirs)} runs its own, got {names}')
    runs = dict(zip(names, (read_scalars(folder) for folder in args.work_dirs), strict=True))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(runs, args.keys, args.out)
    with args.out.with_suffix('.csv').open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(('run', 'key', 'iteration', 'value'))
        for name, curves in runs.items():
            for key in args.keys:
                writer.writerows((name, key, *point) for point in curves.get(key, ()))
    print(f'{args.out}: {", ".join(names)}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
