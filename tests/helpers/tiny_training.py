# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A training run of seconds, and what it leaves behind."""

from collections.abc import Sequence
from pathlib import Path

import small_families
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS, RUNNERS

import mmseg_remamber.register  # noqa: F401
from mmseg_remamber.configuration import load_config

EMA = dict(type='RefSegEMAHook', momentum=0.1, update_buffers=True)


def tiny_config(
    shapes: Path,
    work: Path,
    *,
    workers: int = 0,
    batch_size: int = 2,
    design: str = 'remamber-conv',
) -> Config:
    """A mini model made smaller, with drop path, on a few scenes; EMA and iterations."""
    cfg = small_families.thin(load_config(small_families.MINI[design]))
    for mode in ('train', 'val', 'test'):
        loader = cfg[f'{mode}_dataloader']
        loader.dataset.data_root = str(shapes)
        loader.num_workers = workers if mode == 'train' else 0
        loader.persistent_workers = loader.num_workers > 0
        loader.batch_size = batch_size if mode == 'train' else 4
    cfg.work_dir = str(work)
    cfg.custom_hooks = [EMA]
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.gallery.num = 0
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=10**6)
    cfg.train_cfg = dict(type='ResumableIterLoop', max_iters=6, val_interval=4)
    cfg.param_scheduler = [dict(type='LinearLR', start_factor=0.5, end=6, by_epoch=False)]
    return cfg


def by_epochs(cfg: Config, epochs: int) -> Config:
    """The same in epochs."""
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    cfg.train_cfg = dict(type='ResumableEpochLoop', max_epochs=epochs, val_interval=1)
    cfg.log_processor.by_epoch = True
    cfg.param_scheduler = [dict(type='CosineAnnealingLR', T_max=epochs, by_epoch=True)]
    return cfg


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(AmpOptimWrapper):
    """mmengine's, which asks for a GPU, in bfloat16 on the CPU; its scale grows fast."""

    def __init__(self, **options):
        OptimWrapper.__init__(self, **options)
        self._scale_update_param = None
        self.cast_dtype = torch.bfloat16
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=2.0**8, growth_interval=2)


class Stop(Exception):
    """The plug is pulled."""


class Recorder(Hook):
    """Keeps each iteration's loss and sentences; pulls the plug after an iteration if asked."""

    priority = 'LOWEST'

    def __init__(self, stop_after: int | None = None):
        self.stop_after = stop_after
        self.losses: dict[int, float] = {}
        self.batches: dict[int, list] = {}
        self.places: dict[int, int] = {}
        self.scales: list[float] = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if hasattr(runner.optim_wrapper, 'loss_scaler'):
            self.scales.append(runner.optim_wrapper.loss_scaler.get_scale())
        self.losses[runner.iter] = outputs['loss'].item()
        self.batches[runner.iter] = [
            (sample.get('ref_id', sample.get('img_path')), sample.get('text'))
            for sample in data_batch['data_samples']
        ]
        self.places[runner.iter] = batch_idx
        if runner.iter + 1 == self.stop_after:
            raise Stop


def train(cfg: Config, *, stop_after: int | None = None, hooks: Sequence[Hook] = ()):
    """Run it -> (runner, what was recorded)."""
    runner = RUNNERS.build(cfg.copy())
    recorder = Recorder(stop_after)
    for hook in (recorder, *hooks):
        runner.register_hook(hook)
    try:
        runner.train()
    except Stop:
        assert stop_after is not None
    return runner, recorder


def end_state(runner) -> dict[str, torch.Tensor]:
    """Weights, averaged weights and optimiser state, by name."""
    ema = next(hook for hook in runner.hooks if hasattr(hook, 'ema_model'))
    state = {f'model.{k}': v for k, v in runner.model.state_dict().items()}
    state.update({f'ema.{k}': v for k, v in ema.ema_model.state_dict().items()})
    for i, moments in runner.optim_wrapper.optimizer.state_dict()['state'].items():
        state.update({f'optimizer.{i}.{k}': torch.as_tensor(v) for k, v in moments.items()})
    return state


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    """Bitwise."""
    assert a.keys() == b.keys()
    assert [k for k in a if not torch.equal(a[k], b[k])] == []
