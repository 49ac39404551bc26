# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Attention and activation maps of one scan, as VMamba's figures have them.

    python tools/analysis_tools/scan_maps.py CONFIG CHECKPOINT IMAGE --out scan.png
    python tools/analysis_tools/scan_maps.py CONFIG CHECKPOINT IMAGE --matrix --out matrix.png

A row for each kind of weight: C.B, (C w).(B / w) and w.(1 / w), with w the decay since the route's
start, and (C w).(B d / w) with the step sizes d, which is what the scan does. Activation maps show
what the position --query takes of every other along each of the four routes, of the sum of the
routes, and of the mean of the four as they are shown; --matrix shows all positions at once, each
row one that takes. Every map goes from its least to its largest value. Writes the picture and, with
the suffix .npz, the numbers.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from mmseg_remamber.analysis.maps import hooked
from mmseg_remamber.analysis.scans import KINDS, attention_maps, normalised, query_number
from mmseg_remamber.analysis.squares import image_trunk, load_square, normalise
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization.maps import draw_shares
from mmseg_remamber.vmamba import SS2D

NAMES = {
    'a0': 'rows', 'a1': 'columns', 'a2': 'rows back', 'a3': 'columns back', 'all': 'sum of routes',
    'nall': 'mean of the four',
}  # fmt: skip


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    parser.add_argument('image', type=Path)
    parser.add_argument('--stage', type=int, default=3, help='from 1')
    parser.add_argument('--block', type=int, default=2, help='of the stage, from 1')
    parser.add_argument('--size', type=int, default=512, help='side of the input, pixels')
    parser.add_argument(
        '--query', type=float, nargs=2, default=(0.5, 0.5), metavar=('RIGHT', 'DOWN'),
        help='the position, in [0, 1)',
    )  # fmt: skip
    parser.add_argument('--matrix', action='store_true', help='all positions at once')
    parser.add_argument(
        '--mean', type=float, nargs=3, help="instead of the model's; the authors' figures: 127.5"
    )
    parser.add_argument(
        '--std', type=float, nargs=3, help="instead of the model's; the authors' figures: 63.75"
    )
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--out', type=Path, default=Path('scan.png'))
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if not all(0 <= place < 1 for place in args.query):
        raise ValueError(f'--query must be in [0, 1), got {tuple(args.query)}')
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    trunk = image_trunk(model)
    name = f'stages.{args.stage - 1}.{args.block - 1}.op'
    scan = dict(trunk.named_modules()).get(name)
    if not isinstance(scan, SS2D):
        raise ValueError(
            f'--stage {args.stage} --block {args.block}: the backbone has no scan there'
        )
    picture = load_square(args.image, args.size)
    inputs = []
    with (
        torch.no_grad(),
        hooked(
            trunk,
            lambda module: module is scan,
            lambda name, module, given, output: inputs.append(given[0][0]),
        ),
    ):
        trunk(normalise(picture, model, mean=args.mean, std=args.std))
    (x,) = inputs
    height, width = x.shape[:2]
    query = query_number(args.query, height, width)
    rows, numbers = [], {}
    for kind, meaning in KINDS.items():
        panels = []
        for key, values in normalised(attention_maps(scan, x, kind)).items():
            shown = values if args.matrix else values[query].view(height, width)
            panels.append((NAMES[key], shown.cpu().numpy()))
            numbers[f'{kind}_{key}'] = shown.cpu().numpy()
        rows.append((f'{kind}\n{meaning}', panels))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    where = f'stage {args.stage}, block {args.block}, {height} x {width} positions'
    draw_shares(
        rows,
        args.out,
        title=f'What {"each position (row)" if args.matrix else "the outlined position"} takes of '
        f'each other{" (column)" if args.matrix else ""}: {where}',
        what='weight, from the least to the largest of the whole matrix',
        image=picture,
        outlined=None
        if args.matrix
        else (query % width / width, query // width / height, 1 / width, 1 / height),
    )
    np.savez_compressed(args.out.with_suffix('.npz'), **numbers)
    print(f'{args.out} and {args.out.with_suffix(".npz").name}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
