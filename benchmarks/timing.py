# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: interleaved rounds, medians, and where they ran."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from selective_scan import info

Candidates = dict[str, Callable[[], object]]


def milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def interleaved(
    candidates: Candidates, rounds: int, *, once: Candidates | None = None
) -> list[dict[str, float]]:
    """Milliseconds of each candidate in each round.

    Each round times every candidate, so that a busy machine slows all of them alike; those in
    `once`, too slow to repeat, are timed in the first round alone, without a warm-up.
    """
    for run in candidates.values():
        run()
    results = []
    for number in range(rounds):
        now = candidates | (once or {}) if number == 0 else candidates
        results.append({name: milliseconds(run) for name, run in now.items()})
    return results


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for times in rounds for name in times)
    return {
        name: statistics.median(times[name] for times in rounds if name in times) for name in names
    }


def ratio(rounds: list[dict[str, float]], slow: str, fast: str) -> float:
    """The median of each round's ratio, over the rounds that timed both."""
    return statistics.median(
        times[slow] / times[fast] for times in rounds if slow in times and fast in times
    )


def processor() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


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
    for name, value in figures.items():
        print(f'  {name:52} {value:10.2f} {unit}')


def write(path: Path | None, results: list[dict[str, object]]) -> None:
    print(f'{processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}')
    if path:
        path.write_text(json.dumps({'setting': setting(), 'results': results}, indent=2) + '\n')
