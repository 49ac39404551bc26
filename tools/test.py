# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Evaluate a model: python tools/test.py CONFIG CHECKPOINT [--metrics-out FILE.json] [--tta]"""

import argparse
import json
from pathlib import Path

from mmengine.registry import RUNNERS

from mmseg_remamber.cli.arguments import add_model_arguments, add_run_arguments, read_run_config
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.engine import leave_process_group

NEEDED = ('model', 'test_dataloader', 'test_cfg', 'test_evaluator')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Evaluate a model')
    add_model_arguments(parser)
    parser.add_argument('--metrics-out', help='write the metrics to this JSON file')
    parser.add_argument(
        '--tta', action='store_true', help="average over the scales of the config's tta_pipeline"
    )
    add_run_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = read_run_config(args, NEEDED + ('tta_model', 'tta_pipeline') * args.tta)
    if args.tta:
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.model = dict(cfg.tta_model, module=cfg.model)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.metrics_out:  # before the work, not after it
        Path(args.metrics_out).parent.mkdir(parents=True, exist_ok=True)
    runner = RUNNERS.build(cfg)
    metrics = runner.test()
    if args.metrics_out and runner.rank == 0:
        Path(args.metrics_out).write_text(json.dumps(metrics, indent=2, default=float) + '\n')
    leave_process_group()


if __name__ == '__main__':
    with errors_as_messages():
        main()
