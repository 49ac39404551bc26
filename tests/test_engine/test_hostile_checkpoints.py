# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint that would run code is refused wherever the runner reads one, and is not run."""

import os

import pytest
import tiny_training as training
import torch
from mmengine.registry import RUNNERS


class RunsCode:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture(scope='module')
def honest(shapes, tmp_path_factory):
    """What training saves."""
    work = tmp_path_factory.mktemp('honest')
    cfg = training.tiny_config(shapes, work)
    cfg.default_hooks.checkpoint.interval = 1
    training.train(cfg, stop_after=1)
    return work / 'iter_1.pth'


@pytest.fixture
def hostile(honest, tmp_path):
    """An honest checkpoint with a trap, and the file that the trap would write."""
    checkpoint = torch.load(honest, weights_only=False)
    path, traces = tmp_path / 'hostile.pth', tmp_path / 'traces'
    checkpoint['message_hub']['runtime_info']['note'] = RunsCode(f'touch {traces}')
    torch.save(checkpoint, path)
    return path, traces


@pytest.mark.parametrize('use', ['load_from', 'resume', 'latest', 'test'])
def test_refused(hostile, shapes, tmp_path, use):
    path, traces = hostile
    cfg = training.tiny_config(shapes, tmp_path / 'work')
    cfg.resume = use in ('resume', 'latest')
    if use == 'latest':
        (tmp_path / 'work').mkdir()
        (tmp_path / 'work' / 'last_checkpoint').write_text(str(path))
    else:
        cfg.load_from = str(path)
    runner = RUNNERS.build(cfg)
    with pytest.raises(ValueError, match=r'hostile.pth. holds a (posix|nt|os).system, which is no'):
        runner.test() if use == 'test' else runner.train()
    assert not traces.exists()


def test_the_trap_works(hostile):
    path, traces = hostile
    torch.load(path, weights_only=False)
    assert traces.exists()
