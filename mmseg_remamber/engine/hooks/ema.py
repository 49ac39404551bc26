# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Averages weights, and evaluates the trained ones beside them."""

from collections.abc import Sequence

import torch
from mmengine.hooks import EMAHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner, autocast


@HOOKS.register_module()
class RefSegEMAHook(EMAHook):
    """mmengine's EMAHook, but it averages once an update of the weights, and may evaluate both.

    An update may accumulate the gradients of several iterations; mmengine averages after each of
    them. With ``evaluate_trained`` each validation evaluates the trained weights as well, as the
    published program does, which costs a second pass over the validation data. The averaged
    weights' metrics keep their names and choose the best checkpoint; the trained weights' are
    logged with the prefix ``trained_``.

    Args:
        evaluate_trained: Whether to evaluate the trained weights, too.
        ema_type, strict_load, begin_iter, begin_epoch: As in :class:`mmengine.hooks.EMAHook`.
        momentum, update_buffers: As in :class:`mmengine.model.ExponentialMovingAverage`.
    """

    def __init__(
        self,
        *,
        evaluate_trained: bool = False,
        ema_type: str = 'ExponentialMovingAverage',
        strict_load: bool = False,
        begin_iter: int = 0,
        begin_epoch: int = 0,
        momentum: float = 2e-4,
        update_buffers: bool = False,
    ):
        super().__init__(
            ema_type, strict_load, begin_iter, begin_epoch,
            momentum=momentum, update_buffers=update_buffers,
        )  # fmt: skip
        self.evaluate_trained = evaluate_trained

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Sequence[dict] | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Average, after an iteration that has updated the weights."""
        if runner.optim_wrapper.should_update():
            super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def before_val_epoch(self, runner: Runner) -> None:
        if self.evaluate_trained:
            for name, value in _evaluate(runner).items():
                if not isinstance(value, str):  # the protocol, which is that of both
                    runner.message_hub.update_scalar(f'val/trained_{name}', value)
        super().before_val_epoch(runner)


@torch.no_grad()
def _evaluate(runner: Runner) -> dict[str, float | str]:
    """Compute the metrics of the runner's model as it is."""
    runner.model.eval()
    loader, evaluator = runner.val_dataloader, runner.val_evaluator
    for data_batch in loader:
        with autocast(enabled=runner.val_loop.fp16):
            outputs = runner.model.val_step(data_batch)
        evaluator.process(data_samples=outputs, data_batch=data_batch)
    return evaluator.evaluate(len(loader.dataset))
