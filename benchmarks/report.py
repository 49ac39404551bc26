# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: how figures are printed and written, and where they were measured."""

import json
import os
import time
from pathlib import Path

import torch
from selective_scan import info

from mmseg_remamber.analysis.machine import processor


def setting() -> dict[str, object]:
    """The machine and the versions that a result belongs to."""
    return {
        'machine': processor(),
        'threads': torch.get_num_threads(),
        'OMP_WAIT_POLICY': os.environ.get('OMP_WAIT_POLICY'),
        'torch': torch.__version__,
        'selective_scan': info(),
        'date': time.strftime('%Y-%m-%d'),
    }


def table(figures: dict[str, float], unit: str) -> None:
    """Print a line for each figure."""
    for name, value in figures.items():
        print(f'  {name:52} {value:10.2f} {unit}')


def write(path: Path | None, results: list[dict[str, object]]) -> None:
    """Print where the results were measured, and write them as JSON if there is a path."""
    print(f'{processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}')
    if path:
        path.write_text(json.dumps({'setting': setting(), 'results': results}, indent=2) + '\n')
