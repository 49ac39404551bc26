# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Decoder of LAVT."""

from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import upsample
from mmseg_remamber.models.conv import ConvModule
from mmseg_remamber.models.heads import MaskHead, check_four_maps
from mmseg_remamber.text import Text

from . import fast_lavt


@MODELS.register_module()
class LAVTHead(MaskHead):
    """From the coarsest map up: upsample, concatenate the skip, two convolutions (LAVT, Sec. 3.4).

    The text has already entered through the backbone: this head reads the maps alone.

    Args:
        in_channels: channels of the four maps, finest first.
        channels: inner width; 4 times the finest map's in the published models.
        norm_cfg: norm layer config, ``dict(type='SyncBN')`` across GPUs.
        losses: as in :class:`MaskHead`, of two channels, background and object.

    Raises:
        ValueError: when ``in_channels`` does not name 4 maps.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        channels: int,
        norm_cfg: dict = dict(type='BN'),  # noqa: B006  never mutated
        losses: Sequence[dict] = (),
        init_cfg: dict | None = None,
    ):
        super().__init__(losses=losses, init_cfg=init_cfg)
        check_four_maps(in_channels)
        *skips, coarsest = in_channels
        widths = [coarsest, channels, channels]
        self.levels = nn.ModuleList(
            nn.Sequential(
                ConvModule(width + skip, channels, 3, padding=1, norm_cfg=norm_cfg),
                ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg),
            )
            for width, skip in zip(widths, reversed(skips), strict=True)
        )
        self.conv_seg = nn.Conv2d(channels, 2, 1)

    def forward(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        """feats: four maps (B, C_i, H_i, W_i) float, finest first -> [logits (B, 2, H_0, W_0)].

        As of :class:`MaskHead`; ``text`` is not used.
        """
        *skips, x = feats
        if fast.applies(x):
            return [fast_lavt.head(self, feats)]
        for convs, skip in zip(self.levels, reversed(skips), strict=True):
            x = convs(torch.cat((upsample(x, skip.shape[2:]), skip), dim=1))
        return [self.conv_seg(x)]
