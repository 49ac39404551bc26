# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Windows of a map, what their tokens' places add to attention, and which do not see each other."""

import torch
from mmseg.models.backbones.swin import WindowMSA
from torch import Tensor

_MASKED = -100.0  # added to the attention of tokens that are no neighbours


def cut(x: Tensor, window: int) -> Tensor:
    """x: (B, H, W, C), sides multiples of the window -> (B, N, L, C), windows row by row."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // window, window, width // window, window, channels)
    return x.transpose(2, 3).reshape(batch, -1, window * window, channels)


def join(x: Tensor, window: int, rows: int) -> Tensor:
    """x: (B, N, L, C), ``rows`` rows of windows -> (B, H, W, C)."""
    batch, number, _, channels = x.shape
    x = x.reshape(batch, rows, number // rows, window, window, channels)
    return x.transpose(2, 3).reshape(batch, rows * window, -1, channels)


def position_bias(w_msa: WindowMSA) -> Tensor:
    """Bias of each pair of a window's tokens, query before key -> (heads, L, L) float."""
    index = w_msa.relative_position_index
    return w_msa.relative_position_bias_table[index].permute(2, 0, 1)


def shift_mask(height: int, width: int, window: int, shift: int, like: Tensor) -> Tensor:
    """What is added where two tokens of a shifted window come from opposite edges of the map.

    Args:
        height, width: sides of the padded map.
        window, shift: in tokens.
        like: gives type and device.

    Returns:
        (N, 1, L, L) float: 0, or -100.
    """

    rows, columns = (torch.arange(side, device=like.device) for side in (height, width))
    regions = region(rows[:, None], columns, height, width, window, shift)
    return mask_of_regions(cut(regions[None, ..., None], window)[0, ..., 0], like.dtype)


def region(row: Tensor, column: Tensor, height: int, width: int, window: int, shift: int) -> Tensor:
    """Which of nine parts of a shifted map a place is in; tokens of different parts are no
    neighbours.

    Args:
        row, column: places, int64, of any shapes that go together.
        height, width, window, shift: as of :func:`shift_mask`.

    Returns:
        0 to 8, int64.
    """

    def band(place: Tensor, side: int) -> Tensor:
        return (place >= side - window).long() + (place >= side - shift).long()

    return 3 * band(row, height) + band(column, width)


def mask_of_regions(regions: Tensor, dtype: torch.dtype) -> Tensor:
    """regions: (N, L) int64 -> (N, 1, L, L) float: 0, or -100 where two tokens' regions differ."""
    differ = regions[:, None, :, None] != regions[:, None, None, :]
    return differ.to(dtype) * _MASKED
