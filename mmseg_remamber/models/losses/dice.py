# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Dice loss of a one-channel prediction."""

from mmseg.models.losses.dice_loss import dice_loss
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class BinaryDiceLoss(nn.Module):
    """``1 - (2 sum(p t) + eps) / (sum(p) + sum(t) + eps)`` for each sample, mean over samples.

    mmseg's own ``DiceLoss`` expands labels to one-hot and keeps the first channels: with one
    channel that is the background. This one calls the same function on the object's channel.

    Args:
        eps: smoothing, 1 in ReMamber.
        loss_weight: factor of the loss.
        loss_name: its name in the log.
    """

    def __init__(self, *, eps: float = 1.0, loss_weight: float = 1.0, loss_name: str = 'loss_dice'):
        super().__init__()
        self.eps = eps
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """logits: (B, 1, H, W) float, label: (B, H, W) in {0, 1} -> scalar."""
        loss = dice_loss(
            logits.sigmoid(), label[:, None], weight=None, eps=self.eps, naive_dice=True,
            ignore_index=None,
        )  # fmt: skip
        return self.loss_weight * loss
