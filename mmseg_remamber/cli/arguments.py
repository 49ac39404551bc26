# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from mmseg_remamber.configuration import add_cfg_options, load_config


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add config and --cfg-options."""
    parser.add_argument('config', help='config file')
    add_cfg_options(parser)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add config, checkpoint and --cfg-options."""
    add_config_arguments(parser)
    parser.add_argument('checkpoint', help='weights, in the keys of this project')


def add_models_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model CONFIG [CHECKPOINT], once or more, and --names."""
    parser.add_argument(
        '--model', nargs='+', action='append', required=True, metavar=('CONFIG', 'CHECKPOINT')
    )
    parser.add_argument('--names', nargs='+', help='of the models; default: their configs')


def read_models(args: argparse.Namespace) -> dict[str, list[str]]:
    """The models that arguments of :func:`add_models_arguments` describe.

    Returns:
        {name: [config] or [config, checkpoint]}, in order.

    Raises:
        ValueError: more than two words for a model, or not a name of its own for each.
    """
    if long := [model for model in args.model if len(model) > 2]:
        raise ValueError(f'--model takes a config and a checkpoint, got {long[0]}')
    names = args.names or [Path(config).stem for config, *_ in args.model]
    if not len(set(names)) == len(names) == len(args.model):
        raise ValueError(f'--names must give each of {len(args.model)} models its own, got {names}')
    return dict(zip(names, args.model, strict=True))


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Add root, dataset and split_by."""
    parser.add_argument('root', type=Path, help='data root')
    parser.add_argument('dataset', help='dataset folder in it')
    parser.add_argument('split_by', help='unc, umd, google, ...')


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --work-dir, --launcher and --local_rank."""
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def read_run_config(args: argparse.Namespace, needed: Sequence[str] = ()) -> Config:
    """The config that arguments of a config and of a run describe.

    Without --work-dir it is the config's own, or else ``work_dirs/<name of the config>``.

    Args:
        args: of :func:`add_config_arguments` and :func:`add_run_arguments`.
        needed: entries that a config of such a run has.

    Raises:
        FileNotFoundError, KeyError: as :func:`load_config`.
        ValueError: as there, or for a config without what is needed.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    if lacking := [name for name in needed if cfg.get(name) is None]:
        raise ValueError(f'config {args.config!r} has no {", no ".join(lacking)}')
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = f'work_dirs/{Path(args.config).stem}'
    return cfg
