# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time the compiled selective scan against the plain-torch loop, side by side in one run.

    python benchmarks/scan.py [--state 1] [--json scan.json]

Each round times every candidate once, so that a busy machine slows all of them alike; the figures
are medians over rounds, and the ratios are medians of each round's ratio.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from selective_scan import info, selective_scan, selective_scan_ref
from torch import Tensor


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--groups', type=int, default=4)
    parser.add_argument('--rows', type=int, default=256, help='channels of one group')
    parser.add_argument('--state', type=int, default=1)
    parser.add_argument('--length', type=int, default=14400, help='120 x 120, stride 4 of 480')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--json', type=Path, help='also write the figures here')
    return parser.parse_args()


def make_inputs(args: argparse.Namespace) -> tuple[Tensor, ...]:
    """u, delta, A, B, C, D, delta_bias in float32, with step sizes as VMamba starts them."""
    torch.manual_seed(0)
    channels = args.groups * args.rows
    return (
        torch.randn(args.batch, channels, args.length),
        0.1 * torch.randn(args.batch, channels, args.length),
        -torch.arange(1.0, args.state + 1).repeat(channels, 1),
        torch.randn(args.batch, args.groups, args.state, args.length),
        torch.randn(args.batch, args.groups, args.state, args.length),
        torch.ones(channels),
        torch.empty(channels).uniform_(0.001, 0.1).expm1().log(),
    )


def forward(scan: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
    *tensors, delta_bias = inputs
    return scan(*tensors, delta_bias=delta_bias, delta_softplus=True)


def forward_backward(scan: Callable[..., Tensor], inputs: tuple[Tensor, ...], dy: Tensor) -> None:
    torch.autograd.grad(forward(scan, inputs), inputs, dy)


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def processor() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    inputs = make_inputs(args)
    leaves = tuple(tensor.clone().requires_grad_() for tensor in inputs)
    dy = torch.randn_like(inputs[0])
    candidates = {
        'compiled forward': lambda: forward(selective_scan, inputs),
        'compiled forward+backward': lambda: forward_backward(selective_scan, leaves, dy),
        'loop forward': lambda: forward(selective_scan_ref, inputs),
        'loop forward+backward': lambda: forward_backward(selective_scan_ref, leaves, dy),
    }
    for name in list(candidates)[:2]:  # the loop is too slow for a warm-up to matter
        candidates[name]()
    rounds = [{name: seconds(run) for name, run in candidates.items()} for _ in range(args.rounds)]

    def ratio(slow: str, fast: str) -> float:
        return statistics.median(times[slow] / times[fast] for times in rounds)

    result = {
        'sizes': {k: getattr(args, k) for k in ('batch', 'groups', 'rows', 'state', 'length')},
        'milliseconds': {
            name: statistics.median(times[name] for times in rounds) * 1e3 for name in candidates
        },
        'ratios': {
            'loop / compiled, forward': ratio('loop forward', 'compiled forward'),
            'loop / compiled, forward+backward': ratio(
                'loop forward+backward', 'compiled forward+backward'
            ),
            'compiled forward+backward / forward': ratio(
                'compiled forward+backward', 'compiled forward'
            ),
        },
        'rounds': args.rounds,
        'threads': torch.get_num_threads(),
        'machine': processor(),
        'torch': torch.__version__,
        'selective_scan': info(),
    }
    for heading in ('milliseconds', 'ratios'):
        print(heading)
        for name, value in result[heading].items():
            print(f'  {name:36} {value:10.2f}')
    print(f'{result["machine"]}, {result["threads"]} threads, torch {result["torch"]}')
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + '\n')


if __name__ == '__main__':
    main()
