# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Latency, throughput and peak memory of models at one or several sizes, on CPU or CUDA.

    python tools/analysis_tools/benchmark.py CONFIG [CONFIG ...] --sizes 224 480 --out cost.json

Random weights and noise: neither changes the cost. plot_cost.py draws the result.
"""

import argparse
import json
import platform
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmseg_remamber.analysis.cost import count_flops, measure_cost
from mmseg_remamber.apis import load_config


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


def machine(device: str) -> dict[str, str | int]:
    """What the figures belong to."""
    on_cuda = torch.device(device).type == 'cuda'
    return dict(
        device=torch.cuda.get_device_name(device) if on_cuda else platform.machine(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )


def main() -> None:
    args = parse_args()
    results = []
    print(f'{"config":52}{"size":>6}{"ms":>10}{"images/s":>10}{"peak MB":>10}{"GFLOP":>9}')
    for config in args.configs:
        cfg = load_config(config)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        model = MODELS.build(cfg.model).to(args.device).eval()
        model.cfg = cfg
        for side in args.sizes:
            size = (side, side)
            cost = measure_cost(
                model,
                size,
                batch=args.batch_size,
                warmup=args.warmup,
                repeats=args.repeats,
                amp=args.amp,
            )
            cost['flops'] = sum(count_flops(cfg, size)[''].values())
            results.append(dict(config=Path(config).stem, **cost))
            print(
                f'{Path(config).stem[:51]:52}{side:6}{cost["latency_ms"]:10.1f}'
                f'{cost["throughput"]:10.2f}{cost["peak_memory_mb"]:10.1f}'
                f'{cost["flops"] / 1e9:9.1f}'
            )
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        report = dict(
            machine=machine(args.device),
            amp=args.amp,
            warmup=args.warmup,
            repeats=args.repeats,
            results=results,
        )
        args.out.write_text(json.dumps(report, indent=2) + '\n')


if __name__ == '__main__':
    main()
