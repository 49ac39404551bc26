# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the commands for training and evaluation have in common."""

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction

from .config import load_config


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --work-dir, --cfg-options, --launcher and --local_rank."""
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides: key=value, dotted keys'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def read_run_config(args: argparse.Namespace) -> Config:
    """The config that a command's ``config`` and the arguments above describe.

    Without --work-dir it is the config's own, or else ``work_dirs/<name of the config>``.

    Raises:
        FileNotFoundError, KeyError: as :func:`load_config`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = f'work_dirs/{Path(args.config).stem}'
    return cfg
