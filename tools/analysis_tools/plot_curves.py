# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws loss and accuracy of runs.

    python tools/analysis_tools/plot_curves.py WORK_DIR [WORK_DIR ...] --out curves.png
    python tools/analysis_tools/plot_curves.py RUN.log [RUN.log ...] --keys top1 top1_ema loss_mean

A run is a work dir, with mmengine's scalars.json, over iterations; or a text log, of mmengine or of
Swin's and VMamba's classifiers, over epochs where it has them. Writes curves.png and the numbers
behind it, curves.csv, and prints the best of each accuracy and where it was reached. --fit draws
the straight line that fits each accuracy best between two places, and prints its slope.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization.curves import Curve, draw_curves, read_scalars
from mmseg_remamber.visualization.logs import TextLog, read_text_log


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN')
    parser.add_argument('--names', nargs='+', help='of the runs; default: their folders or files')
    parser.add_argument('--keys', nargs='+', default=['loss', 'mIoU', 'oIoU'])
    parser.add_argument('--fit', type=float, nargs=2, metavar=('FROM', 'TO'))
    parser.add_argument('--out', type=Path, default=Path('curves.png'))
    return parser.parse_args()


def read_run(path: Path) -> TextLog:
    """Read the curves of a run.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_scalars` and :func:`read_text_log`.
    """
    return read_text_log(path) if path.is_file() else TextLog(read_scalars(path), 'iteration')


def name_of(path: Path) -> str:
    return path.stem if path.is_file() else path.resolve().name


def is_loss(key: str) -> bool:
    return 'loss' in key


def fit(points: Curve, start: float, end: float) -> tuple[float, float]:
    """Slope and height at 0 of the straight line through a part of a curve.

    Raises:
        ValueError: Fewer than two points lie there.
    """
    part = [point for point in points if start <= point[0] <= end]
    if len(part) < 2:
        raise ValueError(f'--fit needs two points of a curve from {start:g} to {end:g}')
    slope, height = np.polyfit(*zip(*part, strict=True), deg=1)
    return float(slope), float(height)


def main() -> None:
    args = parse_args()
    names = args.names or [name_of(path) for path in args.runs]
    if len(set(names)) != len(args.runs):
        sys.exit(f'--names must give each of {len(args.runs)} runs its own, got {names}')
    logs = dict(zip(names, map(read_run, args.runs), strict=True))
    units = {log.unit for log in logs.values()}
    if len(units) > 1:
        sys.exit(f'runs must all count epochs or all iterations, got {sorted(units)}')
    (unit,) = units
    runs = {name: log.curves for name, log in logs.items()}
    lines = dict(runs)
    for name, curves in runs.items():
        for key in args.keys:
            if key not in curves or is_loss(key):
                continue
            place, best = max(curves[key], key=lambda point: point[1])
            print(f'{name}: best {key} {best:g} at {unit} {place:g}')
            if args.fit:
                slope, height = fit(curves[key], *args.fit)
                print(f'{name}: {key} rises by {slope:.4g} for each {unit}')
                line = [(x, slope * x + height) for x in args.fit]
                lines.setdefault(f'{name}, straight line', {})[key] = line
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(lines, args.keys, args.out, x=unit)
    with args.out.with_suffix('.csv').open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(('run', 'key', unit, 'value'))
        for name, curves in runs.items():
            for key in args.keys:
                writer.writerows((name, key, *point) for point in curves.get(key, ()))
    print(f'{args.out}: {", ".join(names)}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
