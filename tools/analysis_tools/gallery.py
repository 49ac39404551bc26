# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Show a model's masks: image with sentence, truth, prediction, in one PNG.

    python tools/analysis_tools/gallery.py CONFIG CHECKPOINT OUT.png [--num 12]

The sentences are spread evenly over the test set of the config.
"""

import argparse
from pathlib import Path

import numpy as np
from mmseg.registry import DATASETS

from mmseg_remamber.analysis.samples import predict_sample
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization import to_prediction
from mmseg_remamber.visualization.gallery import draw_gallery


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_model_arguments(parser)
    parser.add_argument('out', help='PNG to write')
    parser.add_argument('--num', type=int, default=12, help='sentences to show')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    chosen = np.linspace(0, len(dataset) - 1, min(args.num, len(dataset))).round().astype(int)
    predictions = [to_prediction(predict_sample(model, dataset, i)) for i in chosen.tolist()]
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    draw_gallery(predictions, args.out, title=f'{Path(args.config).stem}')
    print(f'{args.out}: {len(predictions)} of {len(dataset)} sentences')


if __name__ == '__main__':
    with errors_as_messages():
        main()
