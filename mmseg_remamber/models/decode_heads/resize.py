# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Upsampling that meets the skip connection at any input size."""

import torch.nn.functional as F
from torch import Tensor


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
