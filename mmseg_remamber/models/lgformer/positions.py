# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Sine positions of a map."""

import math

import torch
from torch import Tensor


def sine_positions(height: int, width: int, dim: int, like: Tensor) -> Tensor:
    """Half of the channels tell a position's row, half its column ("DETR", A.4).

    They are computed in float32, as in the authors' program, and cast.

    Args:
        height, width: of the map.
        dim: C, a multiple of 4.
        like: gives type and device.

    Returns:
        (height * width, C), row by row.
    """
    channel = torch.arange(dim // 2, device=like.device)
    frequency = 10000.0 ** (2 * channel.div(2, rounding_mode='floor') / (dim // 2))

    def waves(side: int) -> Tensor:
        place = torch.arange(1, side + 1, device=like.device).float()
        angles = (place / (side + 1e-6) * (2 * math.pi))[:, None] / frequency
        return torch.where(channel % 2 == 0, angles.sin(), angles.cos())

    rows = waves(height)[:, None].expand(-1, width, -1)
    columns = waves(width)[None].expand(height, -1, -1)
    return torch.cat((rows, columns), dim=-1).flatten(0, 1).to(like.dtype)


def centres(height: int, width: int, like: Tensor) -> Tensor:
    """x and y of the centre of each position, in [0, 1]: (height * width, 2), row by row."""
    y = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height
    x = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width
    grid = (x[None].expand(height, -1), y[:, None].expand(-1, width))
    return torch.stack(grid, dim=-1).flatten(0, 1)
