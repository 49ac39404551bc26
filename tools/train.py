# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Train a model: python tools/train.py CONFIG [--work-dir DIR] [--cfg-options key=value ...]"""

import argparse

from mmengine.registry import RUNNERS

from mmseg_remamber.cli.arguments import add_config_arguments, add_run_arguments, read_run_config
from mmseg_remamber.engine import Interrupted, leave_process_group

AMP = dict(float16='AmpOptimWrapper', bfloat16='BFloat16OptimWrapper')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a referring segmentor')
    add_config_arguments(parser)
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
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = read_run_config(args)
    cfg.resume = args.resume
    if args.amp:
        cfg.optim_wrapper.type = AMP[args.amp]
    try:
        RUNNERS.build(cfg).train()
    except Interrupted:
        leave_process_group()
        raise
    leave_process_group()


if __name__ == '__main__':
    main()
