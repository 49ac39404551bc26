# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Multi-scale deformable attention, in plain torch."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber.layers import Linear

Size = tuple[int, int]


class DeformableAttention(nn.Module):
    """Each query samples a few places of each level, which it chooses, and weighs them
    ("Deformable DETR", Eq. 3).

    Args:
        dim: width of queries and values.
        heads: attention heads.
        levels: number of maps.
        points: places of each head on each level.

    Raises:
        ValueError: for a width that is no multiple of ``heads``.
    """

    def __init__(self, dim: int, *, heads: int = 8, levels: int = 3, points: int = 4):
        super().__init__()
        if dim % heads:
            raise ValueError(f'dim must be a multiple of heads, got {dim} and {heads}')
        self.heads, self.levels, self.points = heads, levels, points
        self.offsets = Linear(dim, heads * levels * points * 2)
        self.weights = Linear(dim, heads * levels * points)
        self.value = Linear(dim, dim)
        self.out = Linear(dim, dim)
        self._init()

    def _init(self) -> None:
        """Points of a head lie on a ray of its own; all weigh the same (Deformable DETR, A.4)."""
        angles = torch.arange(self.heads) * (2 * math.pi / self.heads)
        rays = torch.stack((angles.cos(), angles.sin()), dim=-1)
        rays = rays / rays.abs().amax(dim=-1, keepdim=True)
        steps = torch.arange(1, self.points + 1)[:, None]
        offsets = rays[:, None, None] * steps  # (heads, 1, points, 2)
        with torch.no_grad():
            self.offsets.bias.copy_(offsets.expand(-1, self.levels, -1, -1).flatten())
        for module in (self.offsets, self.weights):
            nn.init.zeros_(module.weight)
        nn.init.zeros_(self.weights.bias)
        for module in (self.value, self.out):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, query: Tensor, src: Tensor, places: Tensor, sizes: Sequence[Size]) -> Tensor:
        """Args:
            query: (B, Q, C) float.
            src: (B, S, C) float, the maps of all levels, row by row, one after another.
            places: (Q, 2) float, x and y of each query in [0, 1].
            sizes: height and width of each level, of S positions together.

        Returns:
            (B, Q, C) float.
        """
        heads, levels, points = self.heads, self.levels, self.points
        value = self.value(src).unflatten(-1, (heads, -1))
        offsets = self.offsets(query).unflatten(-1, (heads, levels, points, 2))
        weights = self.weights(query).unflatten(-1, (heads, levels * points)).softmax(dim=-1)
        weights = weights.unflatten(-1, (levels, points))
        pixels = torch.stack(
            [torch.stack((_scalar(w, query), _scalar(h, query))) for h, w in sizes]
        )
        locations = places[:, None, None, None] + offsets / pixels[:, None]
        return self.out(sample(value, sizes, locations, weights))


def sample(value: Tensor, sizes: Sequence[Size], locations: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of the values at the places that each query has on each level.

    Args:
        value: (B, S, heads, d) float, the maps of all levels, row by row, one after another.
        sizes: height and width of each level.
        locations: (B, Q, heads, levels, points, 2) float, x and y, in [0, 1] inside the map. Values
            are read bilinearly between the centres of pixels, and are 0 outside.
        weights: (B, Q, heads, levels, points) float.

    Returns:
        (B, Q, heads * d) float.
    """
    grid = (2 * locations - 1).transpose(1, 2).flatten(0, 1)  # (B * heads, Q, levels, points, 2)
    shares = weights.transpose(1, 2).flatten(0, 1)[:, None]  # (B * heads, 1, Q, levels, points)
    maps = value.permute(0, 2, 3, 1).flatten(0, 1)  # (B * heads, d, S)
    total = None
    for level, (own, size) in enumerate(
        zip(maps.split([height * width for height, width in sizes], dim=-1), sizes, strict=True)
    ):
        found = F.grid_sample(
            own.unflatten(-1, size),
            grid[:, :, level],
            mode='bilinear',
            padding_mode='zeros',
            align_corners=False,
        )  # (B * heads, d, Q, points)
        found = (found * shares[..., level, :]).sum(dim=-1)
        total = found if total is None else total + found
    assert total is not None  # there is a level
    return total.unflatten(0, value.shape[:3:2]).flatten(1, 2).transpose(1, 2)


def _scalar(value: int, like: Tensor) -> Tensor:
    """A size, which an exported graph has free, as a number of the tensor's type."""
    return torch.full((), value, dtype=like.dtype, device=like.device)
