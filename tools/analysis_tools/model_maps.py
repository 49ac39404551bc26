# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What goes on inside a model on one picture and sentence.

    python tools/analysis_tools/model_maps.py KIND CONFIG CHECKPOINT IMAGE "SENTENCE" --out maps.png

KIND is one of
    interactions     similarity of each place and each word in each stage, or the attention over
                     words of designs that attend (ReMamber, Fig. 4; PWAM of LAVT, VLBA of LGFormer)
    components       principal components of the features before the scans, after the channel scan
                     and after the spatial scan of each stage (ReMamber, Fig. 5)
    receptive-field  effective receptive field of the centre of each stage (VMamba)
    routes           what reaches a query position along each scan route, in each stage (VMamba)

Writes the picture and, with the suffix .json, the numbers behind it.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_remamber.analysis.interactions import draw_interactions, stage_of
from mmseg_remamber.analysis.maps import (
    Batch,
    area_of,
    hooked,
    principal_components,
    receptive_field,
    step_maps,
)
from mmseg_remamber.analysis.samples import own_sample
from mmseg_remamber.analysis.scans import route_weights
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization.maps import draw_heat_maps, draw_panels
from mmseg_remamber.vmamba import SS2D

SHARES = (0.5, 0.9, 0.99)
ROUTES = ('rows', 'columns', 'rows back', 'columns back')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('kind', choices=sorted(KINDS), metavar='KIND')
    add_model_arguments(parser)
    parser.add_argument('image')
    parser.add_argument('sentence')
    parser.add_argument('--out', type=Path, default=Path('maps.png'))
    parser.add_argument(
        '--size', type=int, nargs=2, metavar=('H', 'W'), help="of the input; default: the config's"
    )
    parser.add_argument(
        '--query', type=float, nargs=2, default=(0.5, 0.5), metavar=('DOWN', 'RIGHT'),
        help='for routes: the position, in [0, 1)',
    )  # fmt: skip
    return parser.parse_args()


def last_of_stages(named: dict[str, object]) -> dict[str, object]:
    """The last module of each stage, with what was found of it."""
    return {stage_of(name).split(',')[0]: (name, found) for name, found in named.items()}


def interactions(model: nn.Module, batch: Batch, image: np.ndarray, args) -> dict:
    return draw_interactions(model, batch, image, args.sentence, args.out)


def components(model: nn.Module, batch: Batch, image: np.ndarray, args) -> dict:
    rows, numbers = [], []
    for name, found in last_of_stages(step_maps(model, batch)).values():
        panels = [('input', image)]
        for key, features in found.items():
            scores, share = principal_components(features[0])
            panels.append((f'{key}: {100 * float(share.sum()):.0f} %', stretch(scores)))
            numbers.append(
                dict(stage=stage_of(name), features=key, variance_share=share.tolist(),
                     scores=np.round(scores.numpy(), 4).tolist())
            )  # fmt: skip
        rows.append((stage_of(name), panels))
    note = (
        'red, green, blue: first three principal components, each over its own range;\n'
        'in percent the variance they hold'
    )
    draw_panels(rows, args.out, title=f'"{args.sentence}"', note=note)
    return dict(components=numbers)


def stretch(scores: Tensor) -> np.ndarray:
    """Each component from its least to its largest score: (h, w, 3) float -> in [0, 1]."""
    low, high = scores.amin((0, 1)), scores.amax((0, 1))
    return ((scores - low) / (high - low).clamp(min=1e-12)).numpy()


def fields(model: nn.Module, batch: Batch, image: np.ndarray, args) -> dict:
    panels, numbers = [], []
    for number, field in enumerate(receptive_field(model, batch), start=1):
        areas = {f'{100 * share:g}%': area_of(field, share) for share in SHARES}
        heading = '\n'.join(f'{share} in {100 * area:.1f}%' for share, area in areas.items())
        panels.append((f'stage {number}\n{heading}', field.numpy()))
        numbers.append(dict(stage=number, area_holding=areas, field=field.tolist()))
    draw_heat_maps(
        [('', panels)], args.out, image=image, decades=4,
        title='Effective receptive field of the centre:\n'
        'shares of the gradient, and the part of the picture that holds them',
        what='gradient over its largest',
    )  # fmt: skip
    return dict(stages=numbers)


def routes(model: nn.Module, batch: Batch, image: np.ndarray, args) -> dict:
    inputs: dict[str, Tensor] = {}

    def record(name, module, args, output):
        inputs[name] = args[0][0]

    trunk = model.backbone.image
    with torch.no_grad(), hooked(trunk, lambda module: isinstance(module, SS2D), record):
        model.extract_feat(batch['inputs'], batch['data_samples'])
    if not inputs:
        raise ValueError('the model has no routes to show: its image trunk has no SS2D')
    scans = dict(trunk.named_modules())
    rows, numbers, marks = [], [], []
    for name, x in last_of_stages(inputs).values():
        height, width = x.shape[:2]
        query = (int(args.query[0] * height), int(args.query[1] * width))
        strength = route_weights(scans[name], x, query).abs().mean(-1)
        panels = [*zip(ROUTES, strength.numpy()), ('all four', strength.sum(0).numpy())]
        rows.append((f'{stage_of(name)}\n{height} x {width}', panels))
        marks.append(((query[0] + 0.5) / height, (query[1] + 0.5) / width))
        numbers.append(dict(stage=stage_of(name), query=query, strength=strength.tolist()))
    draw_heat_maps(
        rows, args.out, image=image, decades=3, mark=marks,
        title='What reaches the marked position along each route of the last scan of each stage;\n'
        'what comes after it on a route does not',
        what='mean |weight| over channels, over its largest',
    )  # fmt: skip
    return dict(routes=ROUTES, stages=numbers)


KINDS: dict[str, Callable[..., dict]] = {
    'interactions': interactions,
    'components': components,
    'receptive-field': fields,
    'routes': routes,
}


def main() -> None:
    args = parse_args()
    if not all(0 <= place < 1 for place in args.query):
        raise ValueError(f'--query must be in [0, 1), got {args.query}')
    model = init_model(args.config, args.checkpoint, cfg_options=args.cfg_options)
    batch, image = own_sample(
        model, args.image, args.sentence, args.size and tuple(reversed(args.size))
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    numbers = KINDS[args.kind](model, batch, image, args)
    report = dict(kind=args.kind, image=Path(args.image).name, sentence=args.sentence, **numbers)
    args.out.with_suffix('.json').write_text(json.dumps(report) + '\n')
    print(f'{args.out} and {args.out.with_suffix(".json").name}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
