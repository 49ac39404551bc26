# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A batch in parts: the same samples, learning rates, averages and weights an update."""

import pytest
import tiny_training as training
import torch
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from mmseg_remamber.cli.batch import fit_batch

TOTAL, UPDATES = 4, 6


class PerUpdate(Hook):
    """Keeps samples and learning rate of each update; batch norms use their running statistics,
    as those of a batch depend on how it is parted."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.samples, self.rates, self.validated = [[]], [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        self.rate = runner.optim_wrapper.get_lr()['lr'][0]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.samples[-1] += [(sample.ref_id, sample.text) for sample in data_batch['data_samples']]
        if runner.optim_wrapper.should_update():
            self.samples.append([])
            self.rates.append(self.rate)

    def before_val(self, runner):
        self.validated.append(len(self.rates))


def config(shapes, work, size):
    """Six updates, warmed up over five; validated after four and at the end."""
    cfg = training.tiny_config(shapes, work, batch_size=TOTAL)
    cfg.model.backbone.image.arch.drop_path_rate = 0.0  # drawn anew each iteration
    cfg.auto_scale_lr.base_batch_size = TOTAL
    cfg.train_cfg.update(max_iters=UPDATES, val_interval=4)
    cfg.param_scheduler = [dict(type='LinearLR', start_factor=0.1, end=5, by_epoch=False)]
    cfg.optim_wrapper.optimizer.lr = 1e-3
    cfg.val_dataloader.dataset.indices = 2
    fit_batch(cfg, size, None, 1)
    return cfg


def run(cfg, **options):
    recorder = PerUpdate()
    runner, _ = training.train(cfg, hooks=[recorder], **options)
    return runner, recorder


@pytest.fixture(scope='module')
def whole(shapes, tmp_path_factory):
    return run(config(shapes, tmp_path_factory.mktemp('whole'), TOTAL))


def assert_near(got, want):
    got, want = training.end_state(got), training.end_state(want)
    assert got.keys() == want.keys()
    for name in got:
        if 'k_proj.bias' not in name:  # has no gradient but for rounding, which Adam makes a step
            torch.testing.assert_close(got[name], want[name], rtol=0, atol=1e-5, msg=name)


@pytest.mark.parametrize('size', [2, 1])
def test_a_batch_in_parts_trains_as_the_whole_does(shapes, tmp_path, whole, size):
    runner, parts = run(config(shapes, tmp_path, size))
    assert runner.iter == UPDATES * TOTAL // size
    assert parts.samples == whole[1].samples and len(parts.samples) == UPDATES + 1
    assert parts.rates == whole[1].rates
    assert parts.rates[:5] == pytest.approx([1e-4, 3.25e-4, 5.5e-4, 7.75e-4, 1e-3])
    assert parts.validated == whole[1].validated == [4, 6]
    assert_near(runner, whole[0])


def test_a_run_is_resumed_with_its_batch_in_other_parts(shapes, tmp_path, whole):
    cfg = config(shapes, tmp_path, 2)
    cfg.default_hooks.checkpoint.interval = 4
    run(cfg, stop_after=5)
    cfg = config(shapes, tmp_path, 1)
    cfg.update(resume=True, load_from=str(tmp_path / 'iter_4.pth'))
    runner, parts = run(cfg)
    assert runner.iter == UPDATES * TOTAL
    assert parts.samples == whole[1].samples[2:]
    assert parts.rates == whole[1].rates[2:]
    assert_near(runner, whole[0])


def test_averages_count_updates_in_epochs_too(shapes, tmp_path):
    cfg = training.by_epochs(training.tiny_config(shapes, tmp_path, batch_size=2), 2)
    cfg.train_dataloader.dataset.indices = 4
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    runner, recorder = run(cfg)
    assert runner.iter == 4 and len(recorder.rates) == 2
    assert training.end_state(runner)['ema.steps'] == 2
