# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What backward holds beside its results: a part of a sum for each thread, however many parts."""

import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import re, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import torch
from inputs import make_inputs, make_map_inputs
from selective_scan import selective_scan, ss2d_scan

op, threads, sizes = sys.argv[2], int(sys.argv[3]), tuple(map(int, sys.argv[4:]))
torch.set_num_threads(threads)
scan, make = (selective_scan, make_inputs) if op == 'sequence' else (ss2d_scan, make_map_inputs)


def resident(what):
    status = Path('/proc/self/status').read_text()
    return int(re.search(f'{what}:\\\\s+(\\\\d+) kB', status).group(1)) / 2**10


def gradients(sizes):
    inputs = make(*sizes, dtype=torch.float32, optional=())
    leaves = [v.requires_grad_() for v in inputs.values()]
    y = scan(**inputs, delta_softplus=True)
    dy = torch.ones_like(y)
    Path('/proc/self/clear_refs').write_text('5')  # the peak from now on
    before = resident('VmRSS')
    results = torch.autograd.grad(y, leaves, dy)
    return resident('VmHWM') - before, sum(r.nbytes for r in results) / 2**20


gradients((1,) * len(sizes))  # libraries set themselves up at first use
print(*gradients(sizes))
"""


def peak_and_results(op, threads, *sizes):
    """MiB by which backward's peak exceeds what was there before, and those of its results."""
    command = [sys.executable, '-c', MEASURE, str(Path(__file__).parent), op]
    run = subprocess.run(
        [*command, *map(str, (threads, *sizes))], capture_output=True, text=True, check=True
    )
    return map(float, run.stdout.split())


SLACK = 6  # MiB, of allocators, stacks and small sums


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc/self')
@pytest.mark.parametrize('threads', [1, 2])
def test_backward_of_a_sequence_holds_a_copy_for_each_thread(threads):
    state, length = 64, 5120
    size = state * length * 4 / 2**20  # of B, and of C
    peak, results = peak_and_results('sequence', threads, 1, 1, 256, state, length)
    assert peak < results + 2 * size * threads + SLACK


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc/self')
@pytest.mark.parametrize('threads', [1, 2])
def test_backward_of_a_map_holds_a_copy_for_each_thread(threads):
    side, channels, state, rank = 48, 1024, 16, 4
    size = side * side * 4 * (rank + 2 * state) * 4 / 2**20  # of the projections
    peak, results = peak_and_results('map', threads, 1, side, side, channels, state, rank)
    assert peak < results + size * threads + SLACK
