# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs of a segmentor that can be timed: inference and training."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmseg_remamber.models.precision import autocast, keep_weights

Inputs = tuple[Tensor, Tensor, Tensor]


def inference(
    model: nn.Module,
    inputs: Inputs,
    dtype: str = 'float32',
    *,
    forward: Callable[..., Tensor] | None = None,
) -> Callable[[], Tensor]:
    """A run that gives the logits of a segmentor, without gradients.

    Args:
        model: segmentor; it is put into evaluation mode.
        inputs: arguments of :meth:`ReferringSegmentor.logits`.
        dtype: as of :func:`~mmseg_remamber.models.precision.autocast`; the model keeps its weights
            in it, as the inferencer's does.
        forward: what to call instead of ``model.logits``: that, compiled.
    """
    model.eval()
    keep_weights(model, dtype)
    forward = forward or model.logits

    @torch.no_grad()
    def run() -> Tensor:
        with autocast(dtype, inputs[0].device):
            return forward(*inputs)

    return run


def training_step(
    model: nn.Module,
    inputs: Inputs,
    dtype: str = 'float32',
    *,
    forward: Callable[..., list[Tensor]] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> Callable[[], None]:
    """A run of forward, losses, backward and, with an optimizer, update, on a random mask.

    Args:
        model: segmentor; it is put into training mode.
        inputs, dtype: as in :func:`inference`.
        forward: what to call instead of ``model.maps``: that, compiled.
        optimizer: of the model's parameters; without one the gradients are dropped.
    """
    model.train()
    forward = forward or model.maps
    img = inputs[0]
    label = torch.randint(2, (len(img), *img.shape[2:]), device=img.device)
    # A scale of 1: the losses of noise need no larger one, and none overflows.
    scaler = torch.amp.GradScaler(img.device.type, 1.0, enabled=dtype == 'float16')

    def run() -> None:
        with autocast(dtype, img.device):
            loss = sum(model.decode_head.loss_of_maps(forward(*inputs), label).values())
        scaler.scale(loss).backward()
        if optimizer is not None:
            scaler.step(optimizer)
            scaler.update()
        model.zero_grad()

    return run
