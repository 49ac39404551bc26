# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Dice losses of predictions of one channel, and of two."""

from abc import abstractmethod

import torch
from mmseg.models.losses.dice_loss import dice_loss
from mmseg.registry import MODELS
from torch import Tensor, nn


class _Dice(nn.Module):
    """``1 - (2 sum(p t) + eps) / (sum(p) + sum(t) + eps)`` of each sample and class, meant."""

    def __init__(self, *, eps: float = 1.0, loss_weight: float = 1.0, loss_name: str = 'loss_dice'):
        super().__init__()
        self.eps = eps
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """logits: (B, K, H, W) float, label: (B, H, W) in {0, 1} -> scalar."""
        pairs = [
            (probability.flatten(1), truth.flatten(1))
            for probability, truth in self._classes(logits, label)
        ]
        loss = dice_loss(
            torch.cat([probability for probability, _ in pairs]),
            torch.cat([truth for _, truth in pairs]),
            weight=None,
            eps=self.eps,
            naive_dice=True,
            ignore_index=None,
        )
        return self.loss_weight * loss

    @abstractmethod
    def _classes(self, logits: Tensor, label: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Probability and truth of each class, both (B, H, W)."""


@MODELS.register_module()
class BinaryDiceLoss(_Dice):
    """Dice of the object's one channel.

    mmseg's own ``DiceLoss`` expands labels to one-hot and keeps the first channels: with one
    channel that is the background. This one calls the same function on the object's channel.

    Args:
        eps, loss_weight, loss_name: smoothing, 1 in ReMamber; factor; name in the log.
    """

    def _classes(self, logits: Tensor, label: Tensor) -> list[tuple[Tensor, Tensor]]:
        return [(logits.sigmoid()[:, 0], label)]


@MODELS.register_module()
class TwoClassDiceLoss(_Dice):
    """Dice of background and object, the two channels of a softmax, mean over both.

    mmseg's own ``DiceLoss`` sums over all channels before it divides, so that the background, which
    is most of a picture, decides.

    Args:
        eps, loss_weight, loss_name: as of :class:`BinaryDiceLoss`.
    """

    def _classes(self, logits: Tensor, label: Tensor) -> list[tuple[Tensor, Tensor]]:
        background, thing = logits.softmax(dim=1).unbind(dim=1)
        return [(background, 1 - label), (thing, label)]
