# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Latency, throughput and peak memory of models at one or several sizes, on CPU or CUDA.

    python tools/analysis_tools/benchmark.py CONFIG [CONFIG ...] --sizes 224 480 --out cost.json

Random weights and noise: neither changes the cost. All models are in memory at once, and each round
times every one of them. plot_cost.py draws the result.
"""

import argparse
import json
from pathlib import Path

import torch

from mmseg_remamber.analysis.cost import count_flops, measure_costs
from mmseg_remamber.analysis.machine import describe_machine
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    parser.add_argument('--sizes', type=int, nargs='+', default=[480], help='sides of the input')
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--warmup', type=int, default=2, help='runs that are not timed')
    parser.add_argument('--repeats', type=int, default=10, help='runs whose median is taken')
    parser.add_argument('--amp', action='store_true', help='float16 on CUDA, bfloat16 on CPU')
    parser.add_argument('--out', type=Path, help='JSON to write')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    configs = {Path(config).stem: load_config(config) for config in args.configs}
    models = {name: build_model(cfg, args.device) for name, cfg in configs.items()}
    half = 'float16' if torch.device(args.device).type == 'cuda' else 'bfloat16'
    dtype = half if args.amp else 'float32'
    results = []
    print(f'{"config":52}{"size":>6}{"ms":>10}{"images/s":>10}{"peak MB":>10}{"GFLOP":>9}')
    for side in args.sizes:
        size = (side, side)
        costs = measure_costs(
            models,
            size,
            batch=args.batch_size,
            warmup=args.warmup,
            repeats=args.repeats,
            dtype=dtype,
        )
        for name, cost in costs.items():
            cost['flops'] = sum(count_flops(configs[name], size)[''].values())
            results.append(dict(config=name, mode='inference', dtype=dtype, **cost))
            print(
                f'{name[:51]:52}{side:6}{cost["latency_ms"]:10.1f}{cost["throughput"]:10.2f}'
                f'{cost["peak_memory_mb"]:10.1f}{cost["flops"] / 1e9:9.1f}'
            )
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        report = dict(
            machine=describe_machine(args.device),
            warmup=args.warmup,
            repeats=args.repeats,
            results=results,
        )
        args.out.write_text(json.dumps(report, indent=2) + '\n')


if __name__ == '__main__':
    with errors_as_messages():
        main()
