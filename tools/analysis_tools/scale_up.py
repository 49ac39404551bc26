# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Accuracy, throughput and FLOPs of classifiers over resolution, the weights as they are.

    python tools/analysis_tools/scale_up.py --model CONFIG CHECKPOINT [--model ...] \\
        --sizes 64 112 224 384 512 --trained-at 224 --out scale.png

Each model is tested on the test set of its config at each size: short side to size * 256 / 224,
bicubic, then the centre is cropped, as VMamba's figure has it; a pipeline that resizes both sides
does that. Throughput is that of one batch of noise in evaluation mode; FLOPs are counted by the
paper's rules. Without a checkpoint the accuracy is left out. Writes the picture and, with the
suffix .json, the numbers.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import EVALUATOR
from mmengine.runner import Runner
from torch import nn

from mmseg_remamber.analysis.machine import describe_machine
from mmseg_remamber.analysis.published_flops import (
    SCAN_RULES,
    count_published_flops,
    published_pass,
)
from mmseg_remamber.analysis.timing import measure_latency, medians
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_models_arguments, read_models
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model, build_on_meta
from mmseg_remamber.visualization.curves import draw_costs

KEYS = ('accuracy/top1', 'throughput', 'published_flops')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_models_arguments(parser)
    parser.add_argument('--sizes', type=int, nargs='+', required=True, help='sides, pixels')
    parser.add_argument('--trained-at', type=int, default=224, help='is marked by a line')
    parser.add_argument('--batch-size', type=int, default=32, help='of the throughput')
    parser.add_argument('--warmup', type=int, default=50)
    parser.add_argument('--repeats', type=int, default=30)
    parser.add_argument('--scan', choices=sorted(SCAN_RULES), default='prefix-sum')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--out', type=Path, default=Path('scale.png'))
    return parser.parse_args()


def fit_size(cfg: Config, size: int) -> Config:
    """The config with test pictures of another size.

    Raises:
        ValueError: Its test pipeline has no step that gives them one.
    """
    cfg = Config(cfg.to_dict())
    fitted = False
    for step in cfg.test_dataloader.dataset.pipeline:
        if step.type == 'ResizeEdge':
            step.scale = int(256 / 224 * size)
        elif step.type == 'CenterCrop':
            step.crop_size, fitted = size, True
        elif step.type == 'Resize':
            step.scale, fitted = (size, size), True
    if not fitted:
        steps = [step.type for step in cfg.test_dataloader.dataset.pipeline]
        raise ValueError(f'the test pipeline needs Resize or CenterCrop, it has {steps}')
    return cfg


@torch.no_grad()
def evaluate(model: nn.Module, cfg: Config) -> dict[str, float]:
    """Test a model by its config's own metric."""
    loader = Runner.build_dataloader(cfg.test_dataloader, seed=0)
    evaluator = EVALUATOR.build(dict(type='Evaluator', metrics=cfg.test_evaluator))
    evaluator.dataset_meta = loader.dataset.metainfo
    for batch in loader:
        evaluator.process(data_samples=model.test_step(batch), data_batch=batch)
    return evaluator.evaluate(len(loader.dataset))


def main() -> None:
    args = parse_args()
    described = read_models(args)
    configs = {name: load_config(config) for name, (config, *_) in described.items()}
    models = {}
    for name, (_, *checkpoint) in described.items():
        cfg = configs[name]
        build = init_model(cfg, *checkpoint) if checkpoint else build_model(cfg)
        models[name] = build.to(args.device)
    metas = {name: build_on_meta(cfg).eval() for name, cfg in configs.items()}
    results = []
    print(f'{"model":40}{"size":>6}{"top-1":>8}{"images/s":>10}{"GFLOPs":>10}')
    for size in args.sizes:
        noise = torch.randn(args.batch_size, 3, size, size, device=args.device)
        with torch.no_grad():
            times = medians(
                measure_latency(
                    {name: partial(published_pass(model), noise) for name, model in models.items()},
                    torch.device(args.device),
                    warmup=args.warmup,
                    repeats=args.repeats,
                )
            )
        for name, (_, *checkpoint) in described.items():
            metrics = evaluate(models[name], fit_size(configs[name], size)) if checkpoint else {}
            flops = count_published_flops(
                metas[name],
                published_pass(metas[name]),
                torch.empty(1, 3, size, size, device='meta'),
                scan=args.scan,
            )
            throughput = 1e3 * args.batch_size / times[name]
            results.append(
                dict(model=name, size=size, throughput=throughput, published_flops=flops, **metrics)
            )
            top1 = metrics.get('accuracy/top1', float('nan'))
            print(f'{name[:39]:40}{size:6}{top1:8.2f}{throughput:10.2f}{flops / 1e9:10.3f}')
    curves: dict[str, dict] = {name: {key: [] for key in KEYS} for name in described}
    for result in results:
        for key in KEYS:
            if key in result:
                value = result[key] / 1e9 if key == 'published_flops' else result[key]
                curves[result['model']][key].append((result['size'], value))
    keys = [key for key in KEYS if any(curves[name][key] for name in described)]
    drawn = {
        name: {key: points for key, points in c.items() if points} for name, c in curves.items()
    }
    machine = describe_machine(args.device)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_costs(
        drawn, keys, args.out, mark=args.trained_at,
        title=f'Weights of training at {args.trained_at} pixels, tested at others; '
        f'throughput of {args.batch_size} on {machine["device"]}',
    )  # fmt: skip
    report = dict(machine=machine, batch=args.batch_size, scan=args.scan, results=results)
    args.out.with_suffix('.json').write_text(json.dumps(report, indent=2) + '\n')
    print(f'{args.out} and {args.out.with_suffix(".json").name}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
