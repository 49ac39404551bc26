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

    def bands(side: int) -> Tensor:
        place = torch.arange(side, device=like.device)
        return (place >= side - window).long() + (place >= side - shift).long()

    region = 3 * bands(height)[:, None] + bands(width)
    region = cut(region[None, ..., None], window)[0, ..., 0]
    differ = region[:, None, :, None] != region[:, None, None, :]
    return differ.to(like.dtype) * _MASKED
