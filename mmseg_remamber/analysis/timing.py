# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How long runs take, side by side."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

Runs = Mapping[str, Callable[[], object]]


def measure_latency(
    runs: Runs,
    device: torch.device,
    *,
    warmup: int,
    repeats: int,
    once: Runs | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time several runs in turn, so that a busy machine slows all of them alike.

    Args:
        runs: What is timed, by name; each round calls every one of them once.
        device: Where they run; on CUDA the device is waited for before and after each.
        warmup: Rounds that are not timed.
        repeats: Rounds that are.
        once: Further runs, too slow to repeat: they are called in the first timed round alone.
        clock: Gives seconds. ``time.process_time`` counts those of the CPU, of all threads.

    Returns:
        Milliseconds of each run in each timed round, in order; one number of those in ``once``.

    Raises:
        ValueError: When ``warmup`` or ``repeats`` is under 1.
    """
    if warmup < 1 or repeats < 1:
        raise ValueError(f'warmup and repeats must be at least 1, got {warmup} and {repeats}')

    def wait() -> None:
        if device.type == 'cuda':
            torch.cuda.synchronize(device)

    once = once or {}
    times: dict[str, list[float]] = {name: [] for name in (*runs, *once)}
    for number in range(-warmup, repeats):
        for name, run in (*runs.items(), *(once.items() if number == 0 else ())):
            wait()
            start = clock()
            run()
            wait()
            if number >= 0:
                times[name].append(1e3 * (clock() - start))
    return times


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """The median time of each run."""
    return {name: statistics.median(values) for name, values in times.items()}


def ratio(times: Mapping[str, list[float]], slow: str, fast: str) -> float:
    """The median of each round's ratio of two runs, over the rounds that timed both."""
    # a run that was timed once was timed in the first round
    return statistics.median(a / b for a, b in zip(times[slow], times[fast], strict=False))
