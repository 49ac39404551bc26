# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time the fused scan of a map against cross-scan, scan and cross-merge, side by side.

    python benchmarks/ss2d.py [--shapes bar|stages] [--json ss2d.json]

Set OMP_WAIT_POLICY=passive on a machine that others use too: threads that spin while they wait take
the time of those they wait for.

Both take the map and its projections and give the merged map. Peak memory is that of a process of
its own for each: how much further its resident set grew at most, after the inputs were made.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from report import table, write
from selective_scan import selective_scan
from torch import Tensor
from variants import VARIANTS, Scan, routes

from mmseg_remamber.analysis.memory import peak_memory
from mmseg_remamber.analysis.timing import measure_latency, medians, ratio

CPU = torch.device('cpu')


class Shape(NamedTuple):
    """Sizes of a map of E = `channels`, with step sizes of rank `rank`."""

    batch: int
    height: int
    width: int
    channels: int
    state: int
    rank: int


BAR = Shape(1, 120, 120, 256, 1, 8)  # stage 1 of VMamba-B at 480 px


def stages() -> list[Shape]:
    """The four stages of VMamba-B and the channel scans, at 480 and 1024 px."""
    shapes = []
    for pixels in (480, 1024):
        for stage in range(4):
            side, width = pixels // 4 // 2**stage, 128 * 2**stage
            # The others take tens of gigabytes at 1024 px.
            for state, batch in ((1, 1), (1, 8), (16, 1))[: 3 if pixels == 480 else 1]:
                shapes.append(Shape(batch, side, side, 2 * width, state, width // 16))
    for stage in range(4):
        shapes += [Shape(batch, 1, 3 * 128 * 2**stage, 512, 1, 16) for batch in (1, 8)]
    return shapes


def make_inputs(shape: Shape) -> tuple[Tensor, ...]:
    """x, projections, dt_weight, A, D, delta_bias in float32, as large as VMamba starts them."""
    torch.manual_seed(0)
    rows = 4 * shape.channels
    pixels = (shape.batch, shape.height, shape.width)
    return (
        torch.randn(*pixels, shape.channels),
        torch.randn(*pixels, 4, shape.rank + 2 * shape.state),
        torch.empty(4, shape.channels, shape.rank).uniform_(-1, 1) * shape.rank**-0.5,
        -torch.arange(1.0, shape.state + 1).repeat(rows, 1),
        torch.ones(rows),
        torch.empty(rows).uniform_(0.001, 0.1).expm1().log(),
    )


def call(version: Scan, *inputs: Tensor) -> Tensor:
    *tensors, delta_bias = inputs
    return version(*tensors, delta_bias=delta_bias, delta_softplus=True)


VERSIONS = {name: partial(call, VARIANTS[name]) for name in ('fused', 'unfused')}


def forward_backward(
    version: Callable[..., Tensor], leaves: tuple[Tensor, ...], dy: Tensor
) -> tuple[Tensor, ...]:
    return torch.autograd.grad(version(*leaves), leaves, dy)


def measure(shape: Shape, rounds: int) -> dict[str, object]:
    inputs = make_inputs(shape)
    leaves = tuple(tensor.clone().requires_grad_() for tensor in inputs)
    dy = torch.randn_like(inputs[0])
    expected, found = (version(*inputs) for version in VERSIONS.values())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    rank, dt = shape.rank, inputs[1][..., : shape.rank]
    expanded = dt.flatten(0, 2).transpose(0, 1).contiguous()  # (K, positions, R)
    weight = inputs[2].transpose(1, 2).contiguous()

    x, projections, dt_weight, A, D, delta_bias = inputs
    given = routes(x, projections, dt_weight, A.shape[1])

    candidates = {
        # What step sizes that come expanded would cost before any scan: one matrix product.
        f'expanding the step sizes, rank {rank}': lambda: torch.bmm(expanded, weight),
        # What four channels-first routes cost when the copies and the steps are there already.
        'channels-first scan of given routes': lambda: selective_scan(
            **given, A=A, D=D, delta_bias=delta_bias, delta_softplus=True
        ),
    }
    for name, version in VERSIONS.items():
        candidates[name] = lambda version=version: version(*inputs)
        candidates[f'{name}, forward+backward'] = lambda version=version: forward_backward(
            version, leaves, dy
        )
    times = measure_latency(candidates, CPU, warmup=1, repeats=rounds)
    ratios = {
        'unfused / fused': ratio(times, 'unfused', 'fused'),
        'unfused / fused, forward+backward': ratio(
            times, 'unfused, forward+backward', 'fused, forward+backward'
        ),
        'fused, forward+backward / forward': ratio(times, 'fused, forward+backward', 'fused'),
    }
    return {
        'shape': shape._asdict(),
        'milliseconds': medians(times),
        'ratios': ratios,
        'rounds': rounds,
    }


def peak_megabytes(name: str, shape: Shape, *, backward: bool) -> float:
    """The peak of one run, in a process of its own."""
    command = [sys.executable, __file__, '--peak', name, *map(str, shape)]
    if backward:
        command.append('--backward')
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def print_peak(name: str, shape: Shape, *, backward: bool) -> None:
    def run(inputs, dy):
        if backward:
            forward_backward(VERSIONS[name], inputs, dy)
        else:
            VERSIONS[name](*inputs)

    def prepare(shape):
        leaves = tuple(tensor.requires_grad_(backward) for tensor in make_inputs(shape))
        return leaves, torch.randn(leaves[0].shape)

    run(*prepare(shape._replace(height=2, width=3)))  # libraries set themselves up at first use
    inputs, dy = prepare(shape)
    print(peak_memory(lambda: run(inputs, dy), CPU, of='process') / 2**20)


def peaks(shape: Shape) -> dict[str, float]:
    figures = {}
    for suffix, backward in (('', False), (', forward+backward', True)):
        for name in VERSIONS:
            figures[f'{name}{suffix}'] = peak_megabytes(name, shape, backward=backward)
    return figures


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--shapes', choices=('bar', 'stages'), default='bar')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--json', type=Path, help='also write the figures here')
    # Of the processes that measure memory.
    parser.add_argument('--peak', nargs=1 + len(BAR), help=argparse.SUPPRESS)
    parser.add_argument('--backward', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    if args.peak:
        name, *sizes = args.peak
        print_peak(name, Shape(*map(int, sizes)), backward=args.backward)
        return
    results = []
    for shape in [BAR] if args.shapes == 'bar' else stages():
        result = measure(shape, args.rounds)
        print(', '.join(f'{k} {v}' for k, v in result['shape'].items()))
        table(result['milliseconds'], 'ms')
        if shape == BAR:
            result['peak_megabytes'] = peaks(shape)
            table(result['peak_megabytes'], 'MB at most')
        table(result['ratios'], 'times')
        results.append(result)
    write(args.json, results)


if __name__ == '__main__':
    main()
