# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convolution and resizing of maps."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


def conv_nhwc(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a convolution to a channels-last map: (B, H, W, C_in) -> (B, H', W', C_out).

    The permuted view is already in torch's ``channels_last`` memory format, so nothing is copied.
    """
    return conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def to_nhwc(img: Tensor) -> Tensor:
    """Lay images out channels-last: (B, C, H, W) -> (B, H, W, C), contiguous.

    What a convolution makes of them is channels-last too, and the norm after it copies nothing:
    the copy is of the image's three channels, not of the convolution's.
    """
    return img.permute(0, 2, 3, 1).contiguous()


def resize_nhwc(x: Tensor, size: Sequence[int], *, align_corners: bool = False) -> Tensor:
    """Bring a channels-last map bilinearly to ``size``. x: (B, h, w, C) float -> (B, H, W, C)."""
    x = F.interpolate(x.permute(0, 3, 1, 2), size, mode='bilinear', align_corners=align_corners)
    return x.permute(0, 2, 3, 1)


def upsample(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bring a map bilinearly, corners aligned, to a size. x: (B, C, h, w) float -> (B, C, H, W)."""
    return F.interpolate(x, size, mode='bilinear', align_corners=True)
