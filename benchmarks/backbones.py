# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time VMamba beside Swin and ConvNeXt of mmpretrain, as classifiers of one size, in one run.

    python benchmarks/backbones.py [--scales T S B] [--dtypes float32 bfloat16] [--out FILE.json]

Images a second at 224 pixels, one and 16 at a time; the latency of one image of 512 and 1024
pixels; and a training step (forward, cross-entropy, backward) of 4 images of 224. Each round times
every model of a scale in turn, so that a busy machine slows all of them alike; a ratio is the
median over rounds. Random weights and noise: neither changes the cost. Set
OMP_WAIT_POLICY=passive on a machine that others use too.
"""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from report import write
from torch import Tensor, nn

import mmseg_remamber.vmamba  # noqa: F401  registers VMamba
from mmseg_remamber.analysis.timing import measure_latency, medians, ratio
from mmseg_remamber.models.precision import DTYPES

SCALES = {
    'T': {
        'VMamba-T (s1l8)': dict(type='VMamba', arch='tiny-s1l8', out_indices=(3,)),
        'Swin-T': dict(type='mmpretrain.SwinTransformer', arch='tiny', drop_path_rate=0.2),
        'ConvNeXt-T': dict(type='mmpretrain.ConvNeXt', arch='tiny', drop_path_rate=0.1),
    },
    'S': {
        'VMamba-S (s1l20)': dict(type='VMamba', arch='small-s1l20', out_indices=(3,)),
        'Swin-S': dict(type='mmpretrain.SwinTransformer', arch='small', drop_path_rate=0.3),
    },
    'B': {
        'VMamba-B (s1l20)': dict(type='VMamba', arch='base-s1l20', out_indices=(3,)),
        'Swin-B': dict(type='mmpretrain.SwinTransformer', arch='base', drop_path_rate=0.5),
    },
}
NUM_CLASSES = 1000


class Work(NamedTuple):
    mode: str
    side: int
    batch: int


WORKS = (
    Work('inference', 224, 1),
    Work('inference', 224, 16),
    Work('inference', 512, 1),
    Work('inference', 1024, 1),
    Work('training', 224, 4),
)


class Classifier(nn.Module):
    """A backbone, the mean over positions and a linear layer."""

    def __init__(self, backbone: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.head = nn.LazyLinear(NUM_CLASSES)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, 3, H, W) float -> logits (B, 1000)."""
        features = self.backbone(img)[-1]
        return self.head(features.flatten(2).mean(2) if features.ndim == 4 else features)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scales', nargs='+', choices=sorted(SCALES), default=list(SCALES))
    parser.add_argument(
        '--dtypes', nargs='+', choices=('float32', 'bfloat16'), default=['float32', 'bfloat16']
    )
    parser.add_argument('--modes', nargs='+', choices=('inference', 'training'))
    parser.add_argument('--sides', type=int, nargs='+', help='of these works alone')
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument(
        '--import', dest='module', default='mmpretrain.models',
        help='what registers the models of mmpretrain',
    )  # fmt: skip
    parser.add_argument('--out', type=Path, help='JSON to write')
    return parser.parse_args()


def run_of(model: nn.Module, work: Work, dtype: str, device: str) -> Callable[[], object]:
    """What is timed of a model."""
    img = torch.randn(work.batch, 3, work.side, work.side, device=device)
    labels = torch.randint(NUM_CLASSES, (work.batch,), device=device)

    def forward() -> Tensor:
        with torch.autocast(img.device.type, DTYPES[dtype], enabled=dtype != 'float32'):
            return model(img)

    @torch.inference_mode()
    def predict() -> Tensor:
        return forward()

    def train() -> None:
        model.zero_grad()
        F.cross_entropy(forward().float(), labels).backward()

    return train if work.mode == 'training' else predict


def main() -> None:
    args = parse_args()
    import_module(args.module)
    results = []
    for scale in args.scales:
        torch.manual_seed(0)
        models = {
            name: Classifier(MODELS.build(dict(described))).to(args.device)
            for name, described in SCALES[scale].items()
        }
        for model in models.values():
            model.eval()(torch.zeros(1, 3, 224, 224, device=args.device))  # sizes the last layer
        ours, *others = models
        for work in WORKS:
            if args.modes and work.mode not in args.modes:
                continue
            if args.sides and work.side not in args.sides:
                continue
            for model in models.values():
                model.train(work.mode == 'training')
            for dtype in args.dtypes:
                times = measure_latency(
                    {name: run_of(m, work, dtype, args.device) for name, m in models.items()},
                    torch.device(args.device),
                    warmup=args.warmup,
                    repeats=args.repeats,
                )
                print(f'{work.mode}, {work.batch} x {work.side} x {work.side}, {dtype}')
                for name, latency in medians(times).items():
                    faster = {other: ratio(times, other, name) for other in others}
                    rate = 1e3 * work.batch / latency
                    beside = ', '.join(f'{x:.2f} times {other}' for other, x in faster.items())
                    print(f'  {name:18}{latency:10.1f} ms{rate:9.2f} images/s', end='')
                    print(f'   {beside}' if name == ours else '')
                    results.append(
                        dict(
                            model=name, dtype=dtype, **work._asdict(), latency_ms=latency,
                            images_per_second=rate, rate_over=faster if name == ours else {},
                        )
                    )  # fmt: skip
    write(args.out, results)


if __name__ == '__main__':
    main()
