# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Schedules that count updates of the weights."""

from collections.abc import Sequence

from mmengine.hooks import ParamSchedulerHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class UpdateSchedulerHook(ParamSchedulerHook):
    """mmengine's ParamSchedulerHook, but schedules with ``by_epoch=False`` count updates.

    mmengine's counts iterations, of which gradient accumulation takes several for one update: the
    same schedule would end too early, and a longer one has other learning rates. Here each update
    has the learning rate that it has without accumulation.
    """

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Sequence[dict] | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Step the schedules, after an iteration that has updated the weights."""
        if runner.optim_wrapper.should_update():
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
