# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Data, training, evaluation and pictures in one go, on a machine without a GPU.

    python tools/quickstart.py --out quickstart

Writes OUT/data (RefShapes), OUT/work (log and checkpoint), OUT/gallery.png and OUT/metrics.json.
"""

import argparse
import json
import platform
from pathlib import Path

import torch

from mmseg_remamber.checkpoints import latest_checkpoint
from mmseg_remamber.cli.steps import Steps

ROOT = Path(__file__).resolve().parents[1]
CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
PERMUTATION_SEED = 0


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', default='quickstart', help='folder for everything it makes')
    parser.add_argument('--scenes', type=int, default=6000, help='training scenes')
    parser.add_argument('--val-scenes', type=int, default=300, help='scenes of each other split')
    parser.add_argument('--iters', type=int, help="training iterations, the config's by default")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    out = Path(args.out).resolve()
    data, work = out / 'data', out / 'work'
    out.mkdir(parents=True, exist_ok=True)
    steps = Steps(ROOT, total=4)
    here = [f'{mode}_dataloader.dataset.data_root={data}' for mode in ('train', 'val', 'test')]

    steps.begin('Write RefShapes, a synthetic referring dataset', 'about half a minute')
    if (data / 'refshapes' / 'instances.json').is_file():
        print(f'{data} is there already')
    else:
        sizes = [f'--train={args.scenes}']
        sizes += [f'--{split}={args.val_scenes}' for split in ('val', 'test', 'testC')]
        steps.call(
            'dataset_converters/refshapes.py', str(data), '--size=80', '--max-objects=4', *sizes
        )

    steps.begin('Train a small ReMamber from random weights', 'about 8 minutes on 2 cores')
    limits = ['train_cfg.val_interval=1000000']  # the next step evaluates
    if args.iters:
        limits.append(f'train_cfg.max_iters={args.iters}')
    seconds = steps.call('train.py', CONFIG, f'--work-dir={work}', '--cfg-options', *here, *limits)
    checkpoint = str(latest_checkpoint(work))

    steps.begin('Evaluate: new scenes, new combinations, permuted sentences', 'about a minute')
    runs = {
        'val': ['test_dataloader.dataset.split=val'],
        'testC': ['test_dataloader.dataset.split=testC'],
        'val_permuted': [
            'test_dataloader.dataset.split=val',
            f'test_dataloader.dataset.permute_sentences={PERMUTATION_SEED}',
        ],
    }
    metrics = {}
    for name, options in runs.items():
        file = work / f'metrics_{name}.json'
        steps.call(
            'test.py', CONFIG, checkpoint, f'--work-dir={work}', f'--metrics-out={file}',
            '--cfg-options', *here, *options,
        )  # fmt: skip
        metrics[name] = json.loads(file.read_text())
    metrics['training_seconds'] = round(seconds, 1)
    metrics['machine'] = dict(
        processor=platform.processor() or platform.machine(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )
    (out / 'metrics.json').write_text(json.dumps(metrics, indent=2) + '\n')

    steps.begin('Draw its masks, and where it fails', 'about half a minute')
    steps.call(
        'analysis_tools/gallery.py', CONFIG, checkpoint, str(out / 'gallery.png'),
        '--num=9', '--failures=6', '--cfg-options', *here, 'test_dataloader.dataset.split=val',
    )  # fmt: skip
    report(out, checkpoint, metrics)


def report(out: Path, checkpoint: str, metrics: dict) -> None:
    """Say what came out, what it means and what to try next."""
    print(f"""
== Done
  pictures  {out / 'gallery.png'}
  metrics   {out / 'metrics.json'}
  weights   {checkpoint}

  mIoU on unseen scenes                       {metrics['val']['mIoU']:.1f}
  mIoU on colour-shape pairs never trained on {metrics['testC']['mIoU']:.1f}
  mIoU when each image's sentences are
  permuted among its objects                  {metrics['val_permuted']['mIoU']:.1f}  (low: it reads)

Next
  your own sentences   python -m mmseg_remamber IMAGE 'the red circle' --out out; make demo
  real data            docs/datasets.md: RefCOCO, RefCOCO+, RefCOCOg and their folders
  the paper's models   configs/remamber/README.md: on GPUs, or here with --batch-size 2""")


if __name__ == '__main__':
    main()
