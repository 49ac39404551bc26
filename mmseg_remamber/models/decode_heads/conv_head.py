# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convolutional head of ReMamber."""

from collections.abc import Callable, Sequence
from functools import partial

import torch.nn.functional as F
from mmcv.cnn import ConvModule, build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from . import folding
from .resize import conv_of_resized, conv_taps, resize, sum_doubled_taps


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

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """x: (B, C, h, w) float, skip: (B, C', H, W), C + C' = in_channels; without a skip
        C = in_channels -> (B, out_channels, H, W).

        x resized and the skip concatenated are read, but never made: a 1x1 convolution may come
        before the resize.
        """
        first, *rest = self
        if skip is None:
            x = folding.run(first, x)
        else:
            weight, bias, norm = folding.fold(first.conv, first.norm)
            ours, theirs = weight.split((x.shape[1], skip.shape[1]), dim=1)
            x = resize(F.conv2d(x, ours, bias), skip.shape[2:]).add_(F.conv2d(skip, theirs))
            x = first.activate(norm(x))
        for module in rest:
            x = folding.run(module, x)
        return x


class NeckStage(nn.Sequential):
    """3x3 convolution of a resized map and its skip, norm, ReLU.

    Args:
        in_channels: channels of the map and of its skip, where there is one, together.
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

    def forward(
        self,
        x: Tensor,
        size: Sequence[int],
        skip: Tensor | None = None,
        then: Callable[[Tensor], Tensor] = nn.Identity(),  # noqa: B008  without state
    ) -> Tensor:
        """x: (B, C, h, w) float, brought to size (H, W), skip: (B, C', H, W)
        -> (B, out_channels, H, W), or what ``then`` makes of each position of that.
        """
        conv, norm, relu = self
        weight, bias, norm = folding.fold(conv, norm)
        if skip is not None:
            ours, theirs = weight.split((x.shape[1], skip.shape[1]), dim=1)
            x = conv_of_resized(x, size, ours, None)
            return then(relu(norm(x.add_(F.conv2d(skip, theirs, bias, padding=1)))))
        if isinstance(norm, nn.Identity):  # then no row waits for another
            return conv_of_resized(x, size, weight, bias, then=lambda rows: then(relu(rows)))
        return then(relu(norm(conv_of_resized(x, size, weight, bias))))


@MODELS.register_module()
class ReMamberConvHead(BaseModule):
    """From the coarsest map up: mix, double, concatenate the skip; then a convolutional neck.

    Args:
        in_channels: channels of the four maps, finest first.
        channels: inner width; 4 times the finest map's in the published models.
        norm_cfg: norm layer config, ``dict(type='SyncBN')`` across GPUs.

    The text has already entered through the backbone: this head reads the maps alone.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        channels: int,
        norm_cfg: dict = dict(type='BN'),  # noqa: B006  never mutated
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        if len(in_channels) != 4:
            raise ValueError(f'in_channels must name 4 maps, got {list(in_channels)}')
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

    def forward(
        self, feats: Sequence[Tensor], words: Tensor, sentence: Tensor, token_mask: Tensor
    ) -> Tensor:
        """feats: four maps (B, C_i, H_i, W_i) float, finest first -> logits (B, 1, 4H_0, 4W_0)."""
        *skips, x = feats
        x = self.mixers[0](x)
        for mixer, skip in zip(self.mixers[1:], skips[:0:-1], strict=True):
            x = mixer(x, skip)

        first, second = self.neck
        x = first(x, skips[0].shape[2:], skips[0])
        doubled = [2 * side for side in x.shape[2:]]
        taps = second(x, doubled, then=partial(conv_taps, self.conv_seg))
        return sum_doubled_taps(taps, self.conv_seg.bias)
