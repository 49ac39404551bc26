# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Show what a model finds beside the truth, in one PNG.

    python tools/analysis_tools/gallery.py CONFIG CHECKPOINT OUT.png [--num 12] [--failures 6]

Of a referring segmentor image with sentence, truth and prediction; of a classifier, detector or
semantic segmentor truth and prediction, instances with a score of 0.5 and more.

The samples are spread evenly over the test set of the config. Those of --failures, of a referring
segmentor, are spread evenly over the sentences whose mask has an IoU under 0.5, for which the whole
set is gone through.
"""

import argparse
from pathlib import Path

from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS
from torch import nn

from mmseg_remamber.analysis.answers import to_answer
from mmseg_remamber.analysis.samples import predict_sample, spread
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.models import ReferringSegmentor
from mmseg_remamber.visualization import Prediction, to_prediction
from mmseg_remamber.visualization.gallery import draw_gallery
from mmseg_remamber.visualization.objects import draw_answers

FAILURE = 0.5  # IoU, as of Pr@0.5
LEAST_SCORE = 0.5  # of an instance
BACKGROUND = 'background'  # a class that is not drawn


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_model_arguments(parser)
    parser.add_argument('out', help='PNG to write')
    parser.add_argument('--num', type=int, default=12, help='samples to show')
    parser.add_argument('--failures', type=int, default=0, help='sentences to show that failed')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    if isinstance(model, ReferringSegmentor):
        shown = show_sentences(model, dataset, args)
    elif args.failures:
        raise ValueError('--failures is for referring segmentors')
    else:
        shown = show_objects(model, dataset, args)
    print(f'{args.out}: {shown}')


def show_sentences(model: nn.Module, dataset: BaseDataset, args: argparse.Namespace) -> str:
    total = len(dataset)

    def predict(index: int) -> Prediction:
        return to_prediction(predict_sample(model, dataset, index))

    chosen = [predict(index) for index in spread(total, args.num)]
    groups = {f'{len(chosen)} of {total} sentences, evenly spread': chosen}
    if args.failures:
        failed = [index for index in range(total) if predict(index).iou < FAILURE]
        shown = [predict(failed[place]) for place in spread(len(failed), args.failures)]
        under = f'{len(shown)} of the {len(failed)} with an IoU under {100 * FAILURE:.0f}'
        groups[f'{under}, evenly spread'] = shown
    draw_gallery(groups, args.out, title=f'{Path(args.config).stem}')
    return '; '.join(groups)


def show_objects(model: nn.Module, dataset: BaseDataset, args: argparse.Namespace) -> str:
    classes = dataset.metainfo['classes']
    background = classes.index(BACKGROUND) if BACKGROUND in classes else None
    answers = [
        to_answer(
            predict_sample(model, dataset, index), least_score=LEAST_SCORE, background=background
        )
        for index in spread(len(dataset), args.num)
    ]
    shown = f'{len(answers)} of {len(dataset)} samples, evenly spread'
    draw_answers(answers, classes, args.out, title=f'{Path(args.config).stem}: {shown}')
    return shown


if __name__ == '__main__':
    with errors_as_messages():
        main()
