# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time several sentences on one picture against one sentence.

    python benchmarks/sentences.py [CONFIG] [--device cpu] [--rounds 15] [--json FILE]
        [--cfg-options test_dataloader.dataset.pipeline.4.tokenizer=VOCABULARY]

Each candidate is a whole call of the inferencer, from the picture's file to masks at its own size,
with random weights; the rounds interleave them. On a CPU it is CPU time that is counted, of all
threads, as a busy machine lengthens the clock's and not the CPU's.
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import MMLogger
from PIL import Image
from report import table, write

from mmseg_remamber.analysis.timing import measure_latency, medians, ratio
from mmseg_remamber.apis import RefSegInferencer
from mmseg_remamber.configuration import add_cfg_options, load_config

CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
TEXTS = ['the red circle', 'the square on the left', 'the large triangle', 'the lowest thing']


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', nargs='?', default=CONFIG)
    add_cfg_options(parser)
    parser.add_argument('--picture', type=int, nargs=2, default=(640, 480), help='its own size')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--json', type=Path, help='also write the figures here')
    return parser.parse_args()


def build(config: str, device: str, options: dict | None) -> RefSegInferencer:
    """The config's model with random weights, which cost as much as trained ones."""
    cfg = load_config(config, options)
    cfg.model.text_encoder.pretrained = None
    cfg.model.backbone.image.init_cfg = None
    MMLogger.get_instance('mmengine', log_level='ERROR')  # it lists every weight
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return RefSegInferencer(cfg, device=device, show_progress=False)


def main() -> None:
    args = parse_args()
    inferencer = build(args.config, args.device, args.cfg_options)
    width, height = args.picture
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'picture.jpg'
        Image.fromarray(pixels).save(path)
        candidates = {
            'one sentence': lambda: inferencer(path, TEXTS[:1]),
            'two sentences': lambda: inferencer(path, TEXTS[:2]),
            'two sentences, a call each': lambda: [inferencer(path, text) for text in TEXTS[:2]],
            'four sentences': lambda: inferencer(path, TEXTS),
        }
        device = torch.device(args.device)
        times = measure_latency(
            candidates, device, warmup=1, repeats=args.rounds,
            clock=time.process_time if device.type == 'cpu' else time.perf_counter,
        )  # fmt: skip
    ratios = {name: ratio(times, name, 'one sentence') for name in list(candidates)[1:]}
    table(medians(times), 'ms')
    table(ratios, 'times one')
    result = dict(config=args.config, milliseconds=medians(times), ratios=ratios)
    write(args.json, [result])


if __name__ == '__main__':
    main()
