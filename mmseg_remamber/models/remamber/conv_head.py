# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convolutional head of ReMamber."""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import upsample
from mmseg_remamber.models.conv import ConvModule
from mmseg_remamber.models.heads import MaskHead, check_four_maps
from mmseg_remamber.text import Text

from . import fast_remamber


class Mixer(nn.Sequential):
    """1x1 convolution, depthwise 3x3, 1x1, each with its norm; Hardswish after the first two.

    Args:
        in_channels: input channels, kept by the first two convolutions.
        out_channels: output channels.
        norm_cfg: norm layer config.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict):
        act_cfg = dict(type='HSwish')
        super().__init__(
            ConvModule(in_channels, in_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg),
            ConvModule(
                in_channels, in_channels, 3, padding=1, groups=in_channels,
                norm_cfg=norm_cfg, act_cfg=act_cfg,
            ),
            ConvModule(in_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=None),
        )  # fmt: skip


class NeckStage(nn.Sequential):
    """3x3 convolution, norm, ReLU.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        norm_cfg: norm layer config.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict):
        # the published convolutions keep a bias before their norm, which ConvModule warns about
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            build_norm_layer(norm_cfg, out_channels)[1],
            nn.ReLU(inplace=True),
        )


@MODELS.register_module()
class ReMamberConvHead(MaskHead):
    """From the coarsest map up: mix, upsample, concatenate the skip; then a convolutional neck
    (ReMamber).

    The text has already entered through the backbone: this head reads the maps alone. Each
    upsampling meets the size of its skip; where the input's sides are 0, 29, 30 or 31 modulo 32
    that is the published doubling.

    Args:
        in_channels: channels of the four maps, finest first.
        channels: inner width; 4 times the finest map's in the published models.
        norm_cfg: norm layer config, ``dict(type='SyncBN')`` across GPUs.
        losses: as in :class:`MaskHead`.

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
        c1, c2, c3, c4 = in_channels
        self.mixers = nn.ModuleList(
            (
                Mixer(c4, channels, norm_cfg),
                Mixer(channels + c3, channels, norm_cfg),
                Mixer(channels + c2, channels, norm_cfg),
            )
        )
        self.neck = nn.ModuleList(
            NeckStage(width, channels, norm_cfg) for width in (channels + c1, channels)
        )
        self.conv_seg = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        """feats: four maps (B, C_i, H_i, W_i) float, finest first -> [logits (B, 1, 4H_0, 4W_0)].

        As of :class:`MaskHead`; ``text`` is not used.
        """
        *skips, x = feats
        if fast.applies(x, in_training=True):
            return [fast_remamber.conv_head(self, feats)]
        x = self.mixers[0](x)
        x = self.mixers[1](_upsample_and_concatenate(x, skips[2]))
        x = self.mixers[2](_upsample_and_concatenate(x, skips[1]))
        x = self.neck[0](_upsample_and_concatenate(x, skips[0]))
        x = self.neck[1](_double(x))
        return [self.conv_seg(_double(x))]


def _upsample_and_concatenate(x: Tensor, skip: Tensor) -> Tensor:
    """x: (B, C, h, w), skip: (B, C', H, W) float -> (B, C + C', H, W)."""
    return torch.cat((upsample(x, skip.shape[2:]), skip), dim=1)


def _double(x: Tensor) -> Tensor:
    """x: (B, C, h, w) float -> (B, C, 2h, 2w)."""
    return upsample(x, [2 * side for side in x.shape[2:]])
