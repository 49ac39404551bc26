# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time, operations and bytes of each part of a model and each kind of operator, beside the least
that the machine could take for them.

    python tools/analysis_tools/profile_modules.py CONFIG [--size 480 480] [--batch-size 1]
        [--mode inference|training] [--dtype float32] [--device cpu] [--out profile.json]

Random weights and noise: neither changes the cost. Markdown goes to standard output. Of each
operator call the floor is the longer of two times: its floating-point operations at the rate of a
large matrix product, its bytes (of the tensors it reads and writes) at the rate of a large copy.
The rates are the best of rounds that time them and the whole run in turn. A cache is faster than a
copy of large buffers, so that small maps can be under their floor.
"""

import argparse
import dataclasses
import json
import statistics
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.registry import OPTIMIZERS

from mmseg_remamber.analysis.cost import measure_latency, random_inputs
from mmseg_remamber.analysis.machine import Limits, describe_machine
from mmseg_remamber.analysis.profiling import (
    PHASES,
    Call,
    Cost,
    costs_by,
    part_of,
    record_calls,
)
from mmseg_remamber.analysis.workload import inference, training_step
from mmseg_remamber.cli.arguments import add_config_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model
from mmseg_remamber.models.precision import DTYPES


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument('--size', type=int, nargs=2, default=(480, 480), metavar=('H', 'W'))
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--mode', choices=('inference', 'training'), default='inference')
    parser.add_argument('--dtype', choices=DTYPES, default='float32', help='half: by autocast')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--rounds', type=int, default=3, help='runs whose median is taken')
    parser.add_argument('--out', type=Path, help='JSON to write, module by module')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    device, dtype = torch.device(args.device), args.dtype
    cfg = load_config(args.config, args.cfg_options)
    model = build_model(cfg, device)
    inputs = random_inputs(model, tuple(args.size), args.batch_size, args.device)
    if args.mode == 'inference':
        run = inference(model, inputs, dtype)
    else:
        optimizer = OPTIMIZERS.build(dict(cfg.optim_wrapper.optimizer, params=model.parameters()))
        run = training_step(model, inputs, dtype, optimizer=optimizer)

    limits = Limits(device, DTYPES[dtype])
    candidates = dict(run=run, product=limits.product, copy=limits.copy)
    times = measure_latency(candidates, device, warmup=1, repeats=args.rounds)
    seconds = statistics.median(times['run']) / 1e3
    # at its best: a floor is what nothing goes below
    rates = 1e3 * limits.flops / min(times['product']), 1e3 * limits.bytes / min(times['copy'])
    calls = record_calls(model, run, device, rounds=args.rounds)

    phases = PHASES if args.mode == 'training' else PHASES[:1]
    total = costs_by(lambda _: 'all', calls, *rates)
    tables = dict(
        part=costs_by(part_of, calls, *rates),
        kind=largest_first(costs_by(kind_of, calls, *rates)),
    )
    print(
        f'`{Path(args.config).stem}`, {args.size[0]} x {args.size[1]} px, batch {args.batch_size}, '
        f'{args.mode}, {args.dtype}: {seconds:.3f} s by the clock, of which '
        f'{total["all"].total:.3f} s in {len(calls)} operator calls. '
        f'Matrix product {rates[0] / 1e9:.0f} GFLOP/s, copy {rates[1] / 1e9:.1f} GB/s.'
    )
    for heading, costs in tables.items():
        print()
        print_table(heading, costs | total, phases)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        report = dict(
            config=Path(args.config).name,
            size=list(args.size),
            batch=args.batch_size,
            mode=args.mode,
            dtype=args.dtype,
            machine=describe_machine(args.device),
            rounds=args.rounds,
            seconds=seconds,
            flops_per_second=rates[0],
            bytes_per_second=rates[1],
            parts=as_rows(tables['part'], 'part'),
            kinds=as_rows(tables['kind'], 'kind'),
            modules=as_rows(costs_by(lambda call: call.module, calls, *rates), 'module'),
        )
        args.out.write_text(json.dumps(report, indent=2) + '\n')


def kind_of(call: Call) -> str:
    return part_of(call) if call.phase == 'update' else call.kind


def largest_first(costs: Mapping[str, Cost]) -> dict[str, Cost]:
    return dict(sorted(costs.items(), key=lambda item: -item[1].total))


def print_table(heading: str, costs: Mapping[str, Cost], phases: tuple[str, ...]) -> None:
    """Markdown, with the last row as that of all."""
    whole = costs['all'].total
    shown = phases if len(phases) > 1 else ()
    columns = (
        heading, 'ms', 'share', *(f'{phase} ms' for phase in shown), 'GFLOP', 'MB read',
        'MB written', 'at the product\'s rate, ms', 'at the copy\'s rate, ms', 'floor, ms',
        'floor / time',
    )  # fmt: skip
    print(f'| {" | ".join(columns)} |')
    print(f'|---|{"---:|" * (len(columns) - 1)}')
    for name, cost in costs.items():
        cells = (
            name,
            f'{cost.total * 1e3:.1f}',
            f'{cost.total / whole:.1%}',
            *(f'{cost.seconds[phase] * 1e3:.1f}' for phase in shown),
            f'{cost.flops / 1e9:.2f}',
            f'{cost.read / 1e6:.0f}',
            f'{cost.written / 1e6:.0f}',
            f'{cost.flops_floor * 1e3:.1f}',
            f'{cost.bytes_floor * 1e3:.1f}',
            f'{cost.floor * 1e3:.1f}',
            f'{cost.floor / cost.total:.2f}',
        )
        print(f'| {" | ".join(cells)} |')


def as_rows(costs: Mapping[str, Cost], key: str) -> list[dict]:
    return [{key: name, **dataclasses.asdict(cost)} for name, cost in costs.items()]


if __name__ == '__main__':
    with errors_as_messages():
        main()
