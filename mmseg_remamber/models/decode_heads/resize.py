# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Upsampling that meets the skip connection at any input size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def upsample_like(x: Tensor, skip: Tensor) -> Tensor:
    """Bilinear, corners aligned, to the size of ``skip``.

    When the input's sides are 0, 29, 30 or 31 modulo 32 every map is exactly half the size of the
    one before, and this is the published doubling.

    x: (B, C, h, w) float, skip: (B, C', H, W) -> (B, C, H, W)
    """
    return F.interpolate(x, skip.shape[2:], mode='bilinear', align_corners=True)


def upsample_double(x: Tensor, *, align_corners: bool = True) -> Tensor:
    """Bilinear doubling. x: (B, C, h, w) float -> (B, C, 2h, 2w)."""
    return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=align_corners)


def conv_of_double(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """``conv(upsample_double(x))`` for a 3x3 convolution to few channels, at the small map's cost.

    Upsampling acts on each channel alone and the taps of a convolution on each position alone, so
    that the taps may come first: (B, C, h, w) gives (B, 9 O, h, w), and only that is doubled,
    shifted and added. Of the wide map that is four times the size nothing is ever made. The sum is
    the same but for rounding.

    Args:
        conv: 3x3, stride 1, padding 1, with bias; O output channels.
        x: (B, C, h, w) float.

    Returns:
        (B, O, 2h, 2w) float.
    """
    taps = conv.weight.permute(2, 3, 0, 1).reshape(-1, conv.in_channels, 1, 1)
    by_tap = upsample_double(F.conv2d(x, taps)).chunk(9, dim=1)
    height, width = by_tap[0].shape[2:]
    total = torch.zeros_like(by_tap[0]) + conv.bias[:, None, None]
    for tap, values in enumerate(by_tap):
        down, right = tap // 3 - 1, tap % 3 - 1
        # what lies beyond the border counts zero
        inside = values[
            :, :, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)
        ]
        total = total + F.pad(inside, (max(-right, 0), max(right, 0), max(-down, 0), max(down, 0)))
    return total
