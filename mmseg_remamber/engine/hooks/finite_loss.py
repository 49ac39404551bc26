# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Stops training at the first loss that is no finite number."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops training when a loss is NaN or infinite, before it reaches a checkpoint or the EMA.

    It looks at the losses alone: where gradients overflow under float16, the loss scaler leaves
    the step out.

    Raises:
        FloatingPointError: Names the iteration, the losses and the samples of the batch.
    """

    priority = 'VERY_HIGH'

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        losses = {k: torch.as_tensor(v) for k, v in (outputs or {}).items() if 'loss' in k}
        if all(bool(value.isfinite().all()) for value in losses.values()):
            return
        values = ', '.join(f'{name} {value.tolist()}' for name, value in losses.items())
        samples = '\n'.join(_describe(sample) for sample in data_batch['data_samples'])
        raise FloatingPointError(
            f'a loss is not finite in iteration {runner.iter + 1} (process {runner.rank}): '
            f'{values}\nthe batch:\n{samples}'
        )


def _describe(sample) -> str:
    known = ('img_path', 'ref_id', 'sent_id', 'text')
    return '  ' + ', '.join(f'{k} {sample.get(k)!r}' for k in known if k in sample)
