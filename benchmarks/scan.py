# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time the scan of sequences against torch versions and against two limits, side by side.

    python benchmarks/scan.py [--shapes bars|stages|all] [--json scan.json]

Set OMP_WAIT_POLICY=passive on a machine that others use too: threads that spin while they wait take
the time of those they wait for.

Against: the reference loop, a chunked cumulative sum, a doubling (associative) scan, and the
parallel scan of `mambapy` where that is installed. The limits are what no kernel of this kind can
beat by much: torch copying as many bytes as the scan reads and writes, and torch's own exp over
each state of each step plus its softplus over each step.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from report import table, write
from selective_scan import selective_scan, selective_scan_ref
from torch import Tensor

from mmseg_remamber.analysis.timing import measure_latency, medians, ratio

CPU = torch.device('cpu')
CUMSUM_CHUNK = 16  # longer chunks overflow: exp(-sum of step * A) grows with each step


class Shape(NamedTuple):
    """Sizes of a scan: `rows` channels in each of `groups` groups."""

    batch: int
    groups: int
    rows: int
    state: int
    length: int


# What the bars of the project are set at: a stage-1 map of 480 px in four routes, and the middle of
# a vanilla VMamba.
BARS = [Shape(1, 4, 256, 1, 14400), Shape(1, 4, 192, 16, 3136)]


def stages() -> list[Shape]:
    """The four stages of VMamba-B (E = 256 to 2048) and the channel scans, 480 and 1024 px."""
    shapes = []
    for pixels in (480, 1024):
        for stage in range(4):
            side = pixels // 4 // 2**stage
            # The others take tens of gigabytes at 1024 px.
            for state, batch in ((1, 1), (1, 8), (16, 1))[: 3 if pixels == 480 else 1]:
                shapes.append(Shape(batch, 4, 256 * 2**stage, state, side * side))
    shapes += [
        Shape(batch, 4, 512, 1, 3 * 128 * 2**stage) for stage in range(4) for batch in (1, 8)
    ]
    return shapes


def make_inputs(shape: Shape) -> tuple[Tensor, ...]:
    """u, delta, A, B, C, D, delta_bias in float32, with step sizes as VMamba starts them."""
    torch.manual_seed(0)
    channels = shape.groups * shape.rows
    return (
        torch.randn(shape.batch, channels, shape.length),
        0.1 * torch.randn(shape.batch, channels, shape.length),
        -torch.arange(1.0, shape.state + 1).repeat(channels, 1),
        torch.randn(shape.batch, shape.groups, shape.state, shape.length),
        torch.randn(shape.batch, shape.groups, shape.state, shape.length),
        torch.ones(channels),
        torch.empty(channels).uniform_(0.001, 0.1).expm1().log(),
    )


def by_recurrence(solve: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """A torch scan from a way to solve h_t = h_{t-1} exp(a_t) + x_t, with t last."""

    def scan(u, delta, A, B, C, D, delta_bias):
        rows = u.shape[1] // B.shape[1]
        step = F.softplus(delta + delta_bias[:, None])
        B, C = (v.repeat_interleave(rows, dim=1) for v in (B, C))
        log_decay = step[:, :, None] * A[:, :, None]
        states = solve(log_decay, (step * u)[:, :, None] * B)  # (B, G*D, N, L)
        return (states * C).sum(2) + D[:, None] * u

    return scan


def solve_by_cumsum(log_decay: Tensor, x: Tensor) -> Tensor:
    """Cumulative sums within short chunks, and a loop over the chunks."""
    length = x.shape[-1]
    padding = -length % CUMSUM_CHUNK
    log_decay, x = (
        F.pad(v, (0, padding)).unflatten(-1, (-1, CUMSUM_CHUNK)) for v in (log_decay, x)
    )
    log_total = log_decay.cumsum(-1)
    total = log_total.exp()
    within = total * (x * (-log_total).exp()).cumsum(-1)
    carry, carries = torch.zeros_like(within[..., 0, 0]), []
    for last, decay in zip(within[..., -1].unbind(-1), total[..., -1].unbind(-1), strict=True):
        carries.append(carry)
        carry = decay * carry + last
    states = within + total * torch.stack(carries, -1)[..., None]
    return states.flatten(-2)[..., :length]


def solve_by_doubling(log_decay: Tensor, x: Tensor) -> Tensor:
    """An associative scan: log2(L) passes, each over twice the distance of the one before."""
    decay, states, distance = log_decay.exp(), x, 1
    while distance < x.shape[-1]:
        moved = decay[..., distance:] * states[..., :-distance] + states[..., distance:]
        states = torch.cat((states[..., :distance], moved), -1)
        decay = torch.cat(
            (decay[..., :distance], decay[..., distance:] * decay[..., :-distance]), -1
        )
        distance *= 2
    return states


def solve_by_mambapy(log_decay: Tensor, x: Tensor) -> Tensor:
    from mambapy.pscan import pscan

    states = pscan(log_decay.exp().permute(0, 3, 1, 2), x.permute(0, 3, 1, 2))  # (B, L, D, N)
    return states.permute(0, 2, 3, 1)


def torch_versions() -> dict[str, Callable[..., Tensor]]:
    versions = {
        'cumulative sum': by_recurrence(solve_by_cumsum),
        'doubling': by_recurrence(solve_by_doubling),
    }
    try:
        import mambapy.pscan  # noqa: F401
    except ImportError:
        print('mambapy is not installed and is left out')
    else:
        versions['mambapy'] = by_recurrence(solve_by_mambapy)
    return versions


def compiled(*inputs: Tensor) -> Tensor:
    *tensors, delta_bias = inputs
    return selective_scan(*tensors, delta_bias=delta_bias, delta_softplus=True)


def loop(*inputs: Tensor) -> Tensor:
    *tensors, delta_bias = inputs
    return selective_scan_ref(*tensors, delta_bias=delta_bias, delta_softplus=True)


def limits(shape: Shape, inputs: tuple[Tensor, ...]) -> dict[str, Callable[[], object]]:
    u = inputs[0]
    values = sum(tensor.numel() for tensor in inputs) + u.numel()  # and the result
    source, target = torch.randn(values // 2), torch.empty(values // 2)
    step, powers = torch.empty_like(u), torch.empty(shape.state, u.numel())
    exponents = -torch.rand(shape.state, u.numel())

    def elementary():
        torch.exp(exponents, out=powers)
        torch._C._nn.softplus(inputs[1], out=step)  # F.softplus would time an allocation too

    return {
        'limit: copy of the same bytes': lambda: target.copy_(source),
        'limit: exp and softplus': elementary,
    }


def measure(shape: Shape, rounds: int, *, slow: bool) -> dict[str, object]:
    inputs = make_inputs(shape)
    leaves = tuple(tensor.clone().requires_grad_() for tensor in inputs)
    dy = torch.randn_like(inputs[0])
    versions = torch_versions() if slow else {}
    expected = compiled(*inputs)
    for name, scan in versions.items():
        torch.testing.assert_close(scan(*inputs), expected, rtol=1e-3, atol=1e-3, msg=name)

    candidates = limits(shape, inputs)
    candidates['compiled'] = lambda: compiled(*inputs)
    candidates['compiled, forward+backward'] = lambda: torch.autograd.grad(
        compiled(*leaves), leaves, dy
    )
    once = {name: lambda scan=scan: scan(*inputs) for name, scan in versions.items()}
    if slow:
        once['loop'] = lambda: loop(*inputs)
    times = measure_latency(candidates, CPU, warmup=1, repeats=rounds, once=once)
    figures = medians(times)
    highest = max((n for n in figures if n.startswith('limit')), key=figures.get)
    # timed once, so against the median of all rounds: in their own round memory is still cold
    ratios = {f'{name} / compiled': figures[name] / figures['compiled'] for name in once}
    ratios[f'compiled / {highest}'] = ratio(times, 'compiled', highest)
    ratios['compiled, forward+backward / forward'] = ratio(
        times, 'compiled, forward+backward', 'compiled'
    )
    return {'shape': shape._asdict(), 'milliseconds': figures, 'ratios': ratios, 'rounds': rounds}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--shapes',
        choices=('bars', 'stages', 'all'),
        default='bars',
        help="bars: two shapes, with the loop and torch's versions; stages: the model's own, "
        'compiled op and limits alone',
    )
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--json', type=Path, help='also write the figures here')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    shapes = [(shape, True) for shape in BARS if args.shapes != 'stages']
    shapes += [(shape, False) for shape in stages() if args.shapes != 'bars']
    results = []
    for shape, slow in shapes:
        result = measure(shape, args.rounds, slow=slow)
        print(', '.join(f'{k} {v}' for k, v in result['shape'].items()))
        table(result['milliseconds'], 'ms')
        table(result['ratios'], 'times')
        results.append(result)
    write(args.json, results)


if __name__ == '__main__':
    main()
