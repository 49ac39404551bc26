# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""From the image to patches, and from patches to larger ones."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber import fast

from .linear import Linear
from .maps import conv_nhwc, to_nhwc


class PatchEmbedV1(nn.Module):
    """Non-overlapping patches: conv 4x4 stride 4, LayerNorm (vanilla VMamba).

    Args:
        in_channels: channels of the image.
        dim: width of the first stage.
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, 4, stride=4)
        self.norm = nn.LayerNorm(dim)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, C, H, W) float -> (B, H // 4, W // 4, dim)."""
        return self.norm(conv_nhwc(self.proj, to_nhwc(img)))


class PatchEmbedV2(nn.Module):
    """Overlapping patches: two 3x3 stride-2 convolutions, each with LayerNorm, GELU between.

    Args:
        in_channels: channels of the image.
        dim: width of the first stage, even.
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        if dim % 2:
            raise ValueError(f'dim must be even, got {dim}')
        self.proj1 = nn.Conv2d(in_channels, dim // 2, 3, stride=2, padding=1)
        self.norm1 = nn.LayerNorm(dim // 2)
        self.act = nn.GELU()
        self.proj2 = nn.Conv2d(dim // 2, dim, 3, stride=2, padding=1)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, C, H, W) float -> (B, ceil(H / 4), ceil(W / 4), dim)."""
        if fast.applies(img):
            height, width = img.shape[2:]
            values = height * width * self.proj1.out_channels // 4
            return fast.by_images(self.embed, img, values=values)
        return self.embed(img)

    def embed(self, img: Tensor) -> Tensor:
        """What :meth:`forward` does, to all images at once."""
        x = self.act(self.norm1(conv_nhwc(self.proj1, to_nhwc(img))))
        return self.norm2(conv_nhwc(self.proj2, x))


class PatchMerging(nn.Module):
    """Downsampling v1: each 2x2 neighbourhood concatenated, LayerNorm, Linear (Swin's merging).

    Args:
        dim: input width; the output is twice as wide.
        crop: odd sides lose their last row, as in VMamba's first release; else they are padded.
    """

    def __init__(self, dim: int, *, crop: bool = False):
        super().__init__()
        self.crop = crop
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, C) float -> (B, ceil(H / 2), ceil(W / 2), 2C), or floored where it crops."""
        _, height, width, _ = x.shape
        if self.crop:
            x = x[:, : height // 2 * 2, : width // 2 * 2]
        else:
            x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
        quarters = (x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2])
        return self.reduction(self.norm(torch.cat(quarters, dim=-1)))


class ConvDownsample(nn.Module):
    """Downsampling by a stride-2 convolution and LayerNorm.

    Args:
        dim: input width; the output is twice as wide.
        kernel_size: 2 (v2, odd sides lose a row) or 3 (v3, padded by one).
    """

    def __init__(self, dim: int, *, kernel_size: int = 3):
        super().__init__()
        if kernel_size not in (2, 3):
            raise ValueError(f'kernel_size must be 2 or 3, got {kernel_size!r}')
        self.conv = nn.Conv2d(dim, 2 * dim, kernel_size, stride=2, padding=kernel_size // 3)
        self.norm = nn.LayerNorm(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, C) float -> (B, H', W', 2C)."""
        return self.norm(conv_nhwc(self.conv, x))
