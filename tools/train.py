# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Train a model: python tools/train.py CONFIG [--work-dir DIR] [--cfg-options key=value ...]"""

import argparse
import os
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import RUNNERS

from mmseg_remamber.apis import leave_process_group, load_config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a referring segmentor')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument(
        '--resume', action='store_true', help='go on from the latest checkpoint in the work dir'
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides: key=value, dotted keys'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    cfg.resume = args.resume
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = f'work_dirs/{Path(args.config).stem}'
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    RUNNERS.build(cfg).train()
    leave_process_group()


if __name__ == '__main__':
    main()
