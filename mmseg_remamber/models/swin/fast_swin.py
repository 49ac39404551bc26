# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Swin's blocks on a CPU: strips of rows of windows, whose attention matrices never exist whole.

Each function computes what the plain form in :mod:`.trunk` does, without gradients.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from mmseg.models.backbones.swin import ShiftWindowMSA, SwinBlock, WindowMSA
from torch import Tensor

from mmseg_remamber import fast
from mmseg_remamber.fast import strips

from . import windows


def swin_block(block: SwinBlock, x: Tensor) -> Tensor:
    """x: (B, H, W, C) float -> same shape."""
    x = window_attention(block.attn, block.norm1(x)).add_(x)
    (first, *_), second, *_ = block.ffn.layers

    def mlp(rows: Tensor) -> Tensor:
        hidden = fast.linear(block.norm2(rows), first.weight, first.bias, gelu=True)
        return fast.linear(hidden, second.weight, second.bias).add_(rows)

    return fast.by_rows(mlp, x, width=first.out_features)


def window_attention(attn: ShiftWindowMSA, x: Tensor) -> Tensor:
    """x: (B, H, W, C) float -> same shape, in memory of its own."""
    batch, height, width, channels = x.shape
    window, shift = attn.window_size, attn.shift_size
    if height % window or width % window:
        x = F.pad(x, (0, 0, 0, -width % window, 0, -height % window))
    if shift:
        x = torch.roll(x, (-shift, -shift), (1, 2))
    rows, columns = x.shape[1] // window, x.shape[2] // window
    biases = list(_biases(attn.w_msa, window, shift))
    out = torch.empty_like(x)
    size = max(strips.STRIP_VALUES // (batch * window * x.shape[2] * 3 * channels), 1)
    for first, last in _strips(rows, size, last_apart=shift > 0):
        strip = windows.cut(x[:, first * window : last * window], window)
        is_last = shift > 0 and last == rows
        found = _attend(attn.w_msa, strip, columns, biases[2 * is_last : 2 * is_last + 2])
        out[:, first * window : last * window] = windows.join(found, window, last - first)
    if shift:
        out = torch.roll(out, (shift, shift), (1, 2))
    return out[:, :height, :width]


def _strips(rows: int, size: int, *, last_apart: bool) -> Iterator[tuple[int, int]]:
    """Rows of windows that go together; the last one is masked otherwise where windows shift."""
    end = rows - last_apart
    for first in range(0, end, size):
        yield first, min(first + size, end)
    if last_apart:
        yield end, rows


def _biases(w_msa: WindowMSA, window: int, shift: int) -> Iterator[Tensor]:
    """What is added to the similarities of a window: inside the map, and, where windows shift, in
    its last column, its last row and its last corner. Each (1, heads, L, L) float.
    """
    bias = windows.position_bias(w_msa)[None]
    if not shift:
        yield bias
        return
    masks = windows.shift_mask(2 * window, 2 * window, window, shift, bias)
    for mask in masks:
        yield bias + mask


def _attend(w_msa: WindowMSA, x: Tensor, columns: int, biases: list[Tensor]) -> Tensor:
    """x: (B, N, L, C) float, rows of ``columns`` windows, the last column with a bias of its own
    where there is one -> (B, N, L, C).
    """
    qkv = fast.linear(x, w_msa.qkv.weight, w_msa.qkv.bias)
    found = torch.empty_like(x)
    parts = [(slice(None), biases[0])]
    if len(biases) > 1:
        parts = [(slice(0, -1), biases[0]), (slice(-1, None), biases[1])]
    by_row = qkv.unflatten(1, (-1, columns)).unflatten(-1, (3, w_msa.num_heads, -1))
    for part, bias in parts:
        own = by_row[:, :, part]  # (B, rows, columns, L, 3, heads, d)
        if own.shape[2]:
            q, k, v = own.flatten(0, 2).permute(2, 0, 3, 1, 4)
            attended = F.scaled_dot_product_attention(
                q, k, v, attn_mask=bias.to(q.dtype), scale=w_msa.scale
            )
            inside = found.unflatten(1, (-1, columns))[:, :, part]
            inside.copy_(attended.transpose(1, 2).reshape(inside.shape))
    return fast.linear(found, w_msa.proj.weight, w_msa.proj.bias)
