# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Mamba Twister (ReMamber, Sec. 3.3): channel scan, then spatial scan, over image and text maps."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import Linear, resize_nhwc
from mmseg_remamber.vmamba import SS2D

from . import fast_remamber

Scans = Literal['channel-spatial', 'spatial-channel', 'parallel', 'channel', 'spatial']


class Twister(nn.Module):
    """The Twisting layer: image and text maps in, a new image feature out.

    The ``num_maps`` maps are concatenated to a cube of M = ``num_maps * dim`` channels. The channel
    scan lets channels talk to each other, reading a resized map as a sequence of channels, each
    ``scan_size`` squared features, and is added to its input; the spatial scan mixes positions and
    brings M channels to C. ``scans`` says which run, and in which order (ReMamber, Table 3):

    - ``'channel-spatial'``: the spatial scan of the channel-scanned cube, as published;
    - ``'spatial-channel'``: the channel scan, over C channels, of the spatial scan's result;
    - ``'parallel'``: the sum of both scans of the cube;
    - ``'channel'``, ``'spatial'``: one of them alone.

    Where a channel-scanned cube is a result (``'parallel'``, ``'channel'``), a linear layer without
    bias, ``out_proj``, brings its M channels to C, as the spatial scan has no part in it.

    Args:
        dim: width C of each map.
        num_maps: number of maps, the image's among them.
        scans: the scans and their order.
        state_dim: state size N of both scans.
        ratio: inner width over outer width of both scans.
        scan_size: side of the map that the channel scan sees.

    Raises:
        ValueError: for an unknown ``scans``.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_maps: int = 3,
        scans: Scans = 'channel-spatial',
        state_dim: int = 1,
        ratio: float = 2.0,
        scan_size: int = 16,
    ):
        super().__init__()
        if scans not in get_args(Scans):
            raise ValueError(f'scans must be one of {sorted(get_args(Scans))}, got {scans!r}')
        self.scans = scans
        self.scan_size = scan_size
        width = num_maps * dim
        if scans != 'spatial':
            self.channel_scan = SS2D(scan_size**2, state_dim=state_dim, ratio=ratio, gated=True)
        if scans != 'channel':
            self.spatial_scan = SS2D(dim, in_dim=width, state_dim=state_dim, ratio=ratio)
        if scans in ('parallel', 'channel'):
            self.out_proj = Linear(width, dim, bias=False)

    def forward(self, x: Tensor, *texts: Tensor) -> Tensor:
        """Args:
            x: (B, H, W, C) float.
            texts: each (B, H, W, C), or (B, 1, 1, C) to be broadcast over the map; float.

        Returns:
            (B, H, W, C) float.
        """
        if fast.applies(x, in_training=True):
            return fast_remamber.twister(self, x, *texts)
        cube = self.cube(x, *texts)
        if self.scans == 'channel-spatial':
            return self.spatial_scan(self.twist(cube))
        if self.scans == 'spatial-channel':
            return self.twist(self.spatial_scan(cube))
        if self.scans == 'parallel':
            return self.spatial_scan(cube) + self.out_proj(self.twist(cube))
        if self.scans == 'channel':
            return self.out_proj(self.twist(cube))
        return self.spatial_scan(cube)

    def cube(self, x: Tensor, *texts: Tensor) -> Tensor:
        """Concatenate the maps to (B, H, W, M) float; arguments as of :meth:`forward`."""
        return torch.cat((x, *(text.expand_as(x) for text in texts)), dim=-1)

    def twist(self, cube: Tensor) -> Tensor:
        """Add the channel scan of a cube. cube: (B, H, W, M) float -> (B, H, W, M)."""
        small = resize_nhwc(cube, (self.scan_size, self.scan_size))
        return cube + resize_nhwc(self.scan_channels(small), cube.shape[1:3])

    def scan_channels(self, small: Tensor) -> Tensor:
        """Scan a resized cube along its channels, each channel being a token of its positions.

        small: (B, scan_size, scan_size, M) float -> same shape.
        """
        tokens = small.flatten(1, 2).transpose(1, 2).unsqueeze(1)  # (B, 1, M, scan_size^2)
        scanned = self.channel_scan(tokens).squeeze(1).transpose(1, 2)
        return scanned.unflatten(1, small.shape[1:3])

    def steps(self, x: Tensor, *texts: Tensor) -> dict[str, Tensor]:
        """The cube, the channel-scanned cube and the result, (B, H, W, M or C) float, by name.

        Arguments as of :meth:`forward`.

        Raises:
            ValueError: for other ``scans`` than 'channel-spatial'.
        """
        if self.scans != 'channel-spatial':
            raise ValueError(f"scans must be 'channel-spatial' to be shown, got {self.scans!r}")
        cube = self.cube(x, *texts)
        twisted = self.twist(cube)
        spatial = self.spatial_scan(twisted)
        return {'before': cube, 'after channel scan': twisted, 'after spatial scan': spatial}


class TwisterBlock(nn.Module):
    """Twister with residuals on all maps; one LayerNorm serves them all.

    Args:
        dim, num_maps, scans, state_dim, ratio, scan_size: as in :class:`Twister`.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_maps: int = 3,
        scans: Scans = 'channel-spatial',
        state_dim: int = 1,
        ratio: float = 2.0,
        scan_size: int = 16,
    ):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.twister = Twister(
            dim,
            num_maps=num_maps,
            scans=scans,
            state_dim=state_dim,
            ratio=ratio,
            scan_size=scan_size,
        )

    def forward(self, x: Tensor, *texts: Tensor) -> tuple[Tensor, ...]:
        """Shapes as in :meth:`Twister.forward`; returns all maps, updated."""
        normed = [self.norm(text) for text in texts]
        x = x + self.twister(self.norm(x), *normed)
        return x, *(text + new for text, new in zip(texts, normed, strict=True))
