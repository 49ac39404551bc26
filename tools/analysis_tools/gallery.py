# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Show a model's masks: image with sentence, truth, prediction, in one PNG.

    python tools/analysis_tools/gallery.py CONFIG CHECKPOINT OUT.png [--num 12] [--failures 6]

The sentences are spread evenly over the test set of the config. Those of --failures are spread
evenly over the sentences whose mask has an IoU under 0.5, for which the whole set is gone through.
"""

import argparse
from pathlib import Path

from mmseg.registry import DATASETS

from mmseg_remamber.analysis.samples import predict_sample, spread
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization import Prediction, to_prediction
from mmseg_remamber.visualization.gallery import draw_gallery

FAILURE = 0.5  # IoU, as of Pr@0.5


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_model_arguments(parser)
    parser.add_argument('out', help='PNG to write')
    parser.add_argument('--num', type=int, default=12, help='sentences to show')
    parser.add_argument('--failures', type=int, default=0, help='sentences to show that failed')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
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
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    draw_gallery(groups, args.out, title=f'{Path(args.config).stem}')
    print(f'{args.out}: ' + '; '.join(groups))


if __name__ == '__main__':
    with errors_as_messages():
        main()
