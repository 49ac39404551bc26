# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws masks of several models on the same samples (ReMamber, Figs. 6 and 7).

    python tools/analysis_tools/compare_models.py --model CONFIG CHECKPOINT NAME \\
        --model CONFIG CHECKPOINT NAME --out comparison.png

writes comparison.png and comparison.json, the IoU of each model on each sample. The samples are
those of the first config's test set, spread evenly over it, or with --differing those on which the
models differ most.
"""

import argparse
import json
import sys
from pathlib import Path

from mmseg.registry import DATASETS

from mmseg_remamber.analysis.samples import predict_sample, spread
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import add_cfg_options
from mmseg_remamber.visualization import to_prediction
from mmseg_remamber.visualization.comparison import draw_comparison


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--model', nargs=3, action='append', required=True,
        metavar=('CONFIG', 'CHECKPOINT', 'NAME'), help='once for each model',
    )  # fmt: skip
    parser.add_argument('--num', type=int, default=6, help='samples to show')
    parser.add_argument(
        '--differing', type=int, metavar='POOL', help='choose from this many samples'
    )
    parser.add_argument('--out', type=Path, default=Path('comparison.png'))
    parser.add_argument('--device', default='cpu')
    add_cfg_options(parser, help='overrides of all configs')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if len({name for *_, name in args.model}) < len(args.model):
        sys.exit('--model: each needs a name of its own')
    predictions, indices = {}, None
    for config, checkpoint, name in args.model:
        model = init_model(config, checkpoint, args.device, args.cfg_options)
        dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
        indices = indices or spread(len(dataset), args.differing or args.num)
        predictions[name] = [to_prediction(predict_sample(model, dataset, i)) for i in indices]
    ious = {name: [item.iou for item in items] for name, items in predictions.items()}
    places = list(range(len(indices)))
    if args.differing:
        spans = [max(values) - min(values) for values in zip(*ious.values(), strict=True)]
        places = sorted(places, key=lambda i: -spans[i])[: args.num]
    shown = {name: [items[i] for i in places] for name, items in predictions.items()}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_comparison(shown, args.out)
    rows = [
        dict(
            index=indices[i],
            text=next(iter(predictions.values()))[i].text,
            iou={name: values[i] for name, values in ious.items()},
        )
        for i in places
    ]
    args.out.with_suffix('.json').write_text(json.dumps(rows, indent=2) + '\n')
    print(f'{args.out}: {len(rows)} samples, {len(shown)} models')


if __name__ == '__main__':
    with errors_as_messages():
        main()
