# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A command prints what its user needs; the log file has the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.logging import MMLogger
from small_families import MINI

from mmseg_remamber.engine.console import shorten_console

NOISE = (
    'Could not import',
    'Fail to import',
    'The value is the same before and after',
    'Hooks will be executed',
    'System environment',
    'optim_wrapper = dict',
    'DeprecationWarning',
    'will be deprecated',
    'paramwise_options',
    'avg_non_ignore',
)


def run(root, *arguments, folder):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, text=True, timeout=600,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(root)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert not [word for word in NOISE if word in done.stdout], done.stdout
    return done.stdout.splitlines()


@pytest.mark.parametrize('design', ['remamber-conv', 'lavt', 'lgformer'])
def test_training_says_what_its_user_needs(root, scenes, tmp_path, design):
    options = [f'{mode}_dataloader.dataset.data_root={scenes}' for mode in ('train', 'val', 'test')]
    work = tmp_path / 'work'
    lines = run(
        root, root / 'tools/train.py', MINI[design], f'--work-dir={work}', '--batch-size=2',
        '--cfg-options', *options, 'train_cfg.max_iters=1', 'train_cfg.val_interval=1',
        'default_hooks.gallery.num=0',
        folder=tmp_path,
    )  # fmt: skip
    assert len(lines) < 40
    (log,) = work.rglob('*.log')
    text = log.read_text()
    for words in ('System environment', 'Hooks will be executed', 'optim_wrapper = dict', 'mIoU'):
        assert words in text
    assert f'The log, with environment and config, is in {log.parent}' in '\n'.join(lines)


def test_inference_says_what_its_user_needs(root, scenes, tiny_checkpoint, tmp_path):
    image = min((Path(scenes) / 'images').glob('*.jpg'))
    lines = run(
        root, '-m', 'mmseg_remamber', image, 'the red circle', '--out', 'out', '--no-progress',
        f'--checkpoint={tiny_checkpoint}', folder=tmp_path,
    )  # fmt: skip
    assert len(lines) == 4, lines  # model, origin, answer, pictures


def test_a_line_for_each_frozen_parameter_is_for_the_file_alone(tmp_path, capsys):
    logger = shorten_console(MMLogger(tmp_path.name, log_file=str(tmp_path / 'run.log')))
    frozen = 'text_encoder.bias is skipped since its requires_grad=False'
    for message in (frozen, 'no gradient: requires_grad=False everywhere'):
        logger.warning(message)
    said = capsys.readouterr()
    assert frozen not in said.out + said.err and 'everywhere' in said.out + said.err
    assert frozen in (tmp_path / 'run.log').read_text()
