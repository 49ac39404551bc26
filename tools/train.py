# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Train a model: python tools/train.py CONFIG [--batch-size N] [--cfg-options key=value ...]

An update of the weights takes the samples that the schedule of the config was made for, on any
number of processes and with any batch that fits: gradients are accumulated to it.
"""

import argparse

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import RUNNERS

from mmseg_remamber.checkpoints import latest_checkpoint
from mmseg_remamber.cli.arguments import add_config_arguments, add_run_arguments, read_run_config
from mmseg_remamber.cli.batch import add_batch_arguments, count_processes, fit_batch, fit_cpu
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.engine import Interrupted, leave_process_group

NEEDED = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper')
AMP = dict(float16='AmpOptimWrapper', bfloat16='BFloat16OptimWrapper')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a referring segmentor')
    add_config_arguments(parser)
    add_batch_arguments(parser)
    parser.add_argument(
        '--resume', action='store_true', help='go on from the latest checkpoint in the work dir'
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='float16',
        choices=sorted(AMP),
        help='automatic mixed precision: float16 (a GPU) or bfloat16 (a CPU too)',
    )
    add_run_arguments(parser)
    args = parser.parse_args()
    if args.amp == 'float16' and get_device() == 'cpu':
        parser.error('--amp float16 needs a GPU: take --amp bfloat16, or leave it out')
    return args


def fit_machine(cfg: Config, args: argparse.Namespace) -> list[str]:
    """Make a config fit batch, processes and device, in place; returns what was chosen.

    Raises:
        ValueError: when the total batch of the schedule cannot be met.
    """
    processes = count_processes(args.launcher)
    chosen = [fit_batch(cfg, args.batch_size, args.accumulate, processes)]
    if args.amp:
        cfg.optim_wrapper.type = AMP[args.amp]
    if get_device() == 'cpu' and (line := fit_cpu(cfg, given=args.cfg_options or ())):
        chosen.append(line)
    return chosen


def main() -> None:
    args = parse_args()
    cfg = read_run_config(args, NEEDED)
    cfg.resume = args.resume
    chosen = fit_machine(cfg, args)
    if args.resume and cfg.get('load_from') is None and latest_checkpoint(cfg.work_dir) is None:
        chosen.append(f'--resume: no checkpoint in {cfg.work_dir!r}, training begins anew')
    runner = RUNNERS.build(cfg)
    for line in chosen:
        runner.logger.info(line)
    try:
        runner.train()
    except Interrupted:
        leave_process_group()
        raise
    leave_process_group()


if __name__ == '__main__':
    with errors_as_messages():
        main()
