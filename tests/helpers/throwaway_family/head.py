# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.layers import upsample
from mmseg_remamber.models import MaskHead
from mmseg_remamber.text import Text


@MODELS.register_module()
class TwoMapsHead(MaskHead):
    """Reads a coarse map as it is, and the finest one with the coarse one added."""

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        losses: Sequence[dict],
        auxiliary_weights: Sequence[float],
    ):
        super().__init__(losses=losses, auxiliary_weights=auxiliary_weights)
        self.coarse = nn.Conv2d(in_channels[1], 1, 1)
        self.fine = nn.Conv2d(in_channels[0], 1, 1)

    def forward(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        coarse = self.coarse(feats[1])
        return [coarse, self.fine(feats[0]) + upsample(coarse, feats[0].shape[2:])]
