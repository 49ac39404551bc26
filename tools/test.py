# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Evaluate a model: python tools/test.py CONFIG CHECKPOINT [--metrics-out FILE.json]"""

import argparse
import json
import os
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import RUNNERS

from mmseg_remamber.apis import leave_process_group, load_config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Evaluate a referring segmentor')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights, in the keys of this project')
    parser.add_argument('--work-dir', help='where the log goes')
    parser.add_argument('--metrics-out', help='write the metrics to this JSON file')
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
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = f'work_dirs/{Path(args.config).stem}'
    runner = RUNNERS.build(cfg)
    metrics = runner.test()
    if args.metrics_out and runner.rank == 0:
        Path(args.metrics_out).write_text(json.dumps(metrics, indent=2) + '\n')
    leave_process_group()


if __name__ == '__main__':
    main()
