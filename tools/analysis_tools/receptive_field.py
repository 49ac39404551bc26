# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Effective receptive fields of backbones, before and after training, as VMamba's figure has them.

    python tools/analysis_tools/receptive_field.py --images FOLDER --out field.png \\
        --model CONFIG CHECKPOINT [--model CONFIG CHECKPOINT ...]

For each model the gradient of the last map's centre by the pixels of 50 pictures of 1024 x 1024,
drawn at random: above with random weights, below with those of the checkpoint, which may be left
out. The last map of a trunk of this project is taken before its output norm, that of another
backbone as it returns it.
Prints the side of the smallest centred square that holds a share of the shown map, and the part of
the picture that it covers; writes the picture and, with the suffix .json, the numbers.
"""

import argparse
import json
import random
import warnings
from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

from mmseg_remamber.analysis.published_field import (
    POWERS,
    high_contribution_areas,
    last_map,
    mean_contribution,
    shown,
)
from mmseg_remamber.analysis.squares import image_trunk, list_pictures, load_square, normalise
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_models_arguments, read_models
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.visualization.maps import draw_shares


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_models_arguments(parser)
    parser.add_argument('--images', type=Path, required=True, help='folder of pictures')
    parser.add_argument('--num', type=int, default=50, help='pictures to draw at random')
    parser.add_argument('--size', type=int, default=1024, help='side of the input, pixels')
    parser.add_argument(
        '--squash', action='store_true', help='resize both sides, as the first release; else crop'
    )
    parser.add_argument(
        '--power', choices=sorted(POWERS), default='newest', help='what is shown: g ** 0.2 or 0.25'
    )
    parser.add_argument('--seed', type=int, default=0, help='of pictures and random weights')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--out', type=Path, default=Path('field.png'))
    return parser.parse_args()


def untrained(cfg: Config, device: str, seed: int) -> nn.Module:
    """The model of a config with random weights, whatever checkpoint its backbone begins with."""
    cfg = Config(cfg.to_dict())
    if (cfg.model.backbone.get('init_cfg') or {}).get('type') == 'Pretrained':
        cfg.model.backbone.init_cfg = None
    torch.manual_seed(seed)
    with warnings.catch_warnings(action='ignore', category=UserWarning):
        return init_model(cfg, device=device)


def main() -> None:
    args = parse_args()
    described = read_models(args)
    files = list_pictures(args.images)
    files = random.Random(args.seed).sample(files, min(args.num, len(files)))
    pictures = [load_square(file, args.size, squash=args.squash) for file in files]
    rows: dict[str, list] = {'random weights': [], 'trained': []}
    numbers = []
    for name, (config, *checkpoint) in described.items():
        cfg = load_config(config)
        models = {'random weights': untrained(cfg, args.device, args.seed)}
        if checkpoint:
            models['trained'] = init_model(cfg, *checkpoint, device=args.device)
        for state, model in models.items():
            trunk = image_trunk(model)
            field, counted = mean_contribution(
                lambda img, trunk=trunk: last_map(trunk, img),
                (normalise(picture, model) for picture in pictures),
            )
            scaled = shown(field, POWERS[args.power])
            areas = high_contribution_areas(scaled)
            sides = {f'{share:g}': area and area[0] for share, area in areas.items()}
            parts = {f'{share:g}': area and area[1] for share, area in areas.items()}
            print(f'{name}, {state}: ' + ', '.join(describe(s, a) for s, a in areas.items()))
            half = areas[0.5]
            heading = name + (f'\nhalf in {100 * half[1]:.1f} % of the area' if half else '')
            rows[state].append((heading, scaled.cpu().numpy()))
            numbers.append(
                dict(model=name, weights=state, pictures=counted, side=sides, area=parts)
            )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    power = POWERS[args.power]
    draw_shares(
        [(state, panels) for state, panels in rows.items() if panels],
        args.out,
        title=f'Effective receptive field of the last map: mean of {len(pictures)} pictures of '
        f'{args.size} x {args.size}',
        what=f'gradient ** {power:g}, over its largest',
    )
    report = dict(size=args.size, squash=args.squash, power=power, fields=numbers)
    args.out.with_suffix('.json').write_text(json.dumps(report, indent=2) + '\n')
    print(f'{args.out} and {args.out.with_suffix(".json").name}')


def describe(share: float, area: tuple[int, float] | None) -> str:
    if area is None:
        return f'{100 * share:g} % in none'
    return f'{100 * share:g} % in {area[0]} pixels ({100 * area[1]:.1f} % of the picture)'


if __name__ == '__main__':
    with errors_as_messages():
        main()
