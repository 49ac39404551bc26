# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Mamba Twister (ReMamber, Sec. 3.3): channel scan, then spatial scan, over image and text maps."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber.vmamba.ss2d import SS2D


class Twister(nn.Module):
    """The Twisting layer: image, global and local text maps in, a new image feature out.

    The three are concatenated; the channel scan lets channels talk to each other, reading a
    resized map as a sequence of 3C steps of ``scan_size`` squared features; the spatial scan
    then mixes positions and brings 3C channels back to C.

    Args:
        dim: width C of each map.
        state_dim: state size N of both scans.
        ratio: inner width over outer width of both scans.
        scan_size: side of the map that the channel scan sees.
    """

    def __init__(self, dim: int, *, state_dim: int = 1, ratio: float = 2.0, scan_size: int = 16):
        super().__init__()
        self.scan_size = scan_size
        self.channel_scan = SS2D(scan_size**2, state_dim=state_dim, ratio=ratio, gated=True)
        self.spatial_scan = SS2D(dim, in_dim=3 * dim, state_dim=state_dim, ratio=ratio)

    def forward(self, x: Tensor, global_text: Tensor, local_text: Tensor) -> Tensor:
        """Args:
            x: (B, H, W, C) float.
            global_text: (B, 1, 1, C) float.
            local_text: (B, H, W, C) float.

        Returns:
            (B, H, W, C) float.
        """
        cube = torch.cat((x, global_text.expand_as(x), local_text), dim=-1)
        return self.spatial_scan(cube + self._twist_channels(cube))

    def _twist_channels(self, cube: Tensor) -> Tensor:
        """cube: (B, H, W, 3C) float -> (B, H, W, 3C)."""
        size = (self.scan_size, self.scan_size)
        small = F.interpolate(cube.permute(0, 3, 1, 2), size, mode='bilinear')
        sequence = small.flatten(2).unsqueeze(1)  # (B, 1, 3C, scan_size^2), a map of height 1
        scanned = self.channel_scan(sequence).squeeze(1).unflatten(2, size)
        full = F.interpolate(scanned, cube.shape[1:3], mode='bilinear')
        return full.permute(0, 2, 3, 1)


class TwisterBlock(nn.Module):
    """Twister with residuals on all three maps; one LayerNorm serves the three.

    Args:
        dim, state_dim, ratio, scan_size: as in :class:`Twister`.
    """

    def __init__(self, dim: int, *, state_dim: int = 1, ratio: float = 2.0, scan_size: int = 16):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.twister = Twister(dim, state_dim=state_dim, ratio=ratio, scan_size=scan_size)

    def forward(
        self, x: Tensor, global_text: Tensor, local_text: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Shapes as in :meth:`Twister.forward`; returns the three maps, updated."""
        normed = self.norm(x), self.norm(global_text), self.norm(local_text)
        return x + self.twister(*normed), global_text + normed[1], local_text + normed[2]
