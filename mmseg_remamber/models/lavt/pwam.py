# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pixel-word attention."""

import torch
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import InstanceNorm, Linear
from mmseg_remamber.text import Text

from . import fast_lavt

MASKED = -1e4  # added to the similarity of padding


class PWAM(nn.Module):
    """Pixel-word attention (LAVT, Sec. 3.2 and Fig. 3): each position takes of the words what is
    like it, and is multiplied by it.

    Args:
        dim: width C of the map.
        text_dim: D, width of the words.
        heads: groups of channels that attend apart. The similarity's scale has the full width
            whatever they are, as in the authors' program.
        dropout: rate after both GELUs in training.

    Raises:
        ValueError: for a width that is no multiple of ``heads``.
    """

    def __init__(self, dim: int, *, text_dim: int, heads: int = 1, dropout: float = 0.0):
        super().__init__()
        if dim % heads:
            raise ValueError(f'dim must be a multiple of heads, got {dim} and {heads}')
        self.heads = heads
        self.scale = dim**-0.5
        self.vis = Linear(dim, dim)
        self.query = Linear(dim, dim)
        self.key = Linear(text_dim, dim)
        self.value = Linear(text_dim, dim)
        self.lang = Linear(dim, dim)
        self.proj = Linear(dim, dim)
        self.norm = InstanceNorm()
        self.act = nn.GELU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, text: Text) -> Tensor:
        """x: (B, H, W, C) float -> (B, H, W, C)."""
        if fast.applies(x):
            return fast_lavt.pwam(self, x, text)
        vis = self.dropout(self.act(self.vis(x)))
        lang = self.norm(self.lang(self.words_of_positions(x, text)))
        return self.dropout(self.act(self.proj(vis * lang)))

    def words_of_positions(self, x: Tensor, text: Text) -> Tensor:
        """What each position takes of the words: softmax(Q K^T) V (LAVT, Eq. 1 to 4).

        x: (B, H, W, C) float -> (B, H, W, C).
        """
        value = self.value(text.words) * text.mask[..., None]
        weights = self.similarity(x, text).softmax(dim=-1)
        heads = value.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, d)
        found = weights @ heads  # (B, heads, H * W, d)
        return found.transpose(1, 2).flatten(-2).unflatten(1, x.shape[1:3])

    def similarity(self, x: Tensor, text: Text) -> Tensor:
        """x: (B, H, W, C) float -> (B, heads, H * W, T), padding at -10000."""
        query = self.norm(self.query(x)).flatten(1, 2).unflatten(-1, (self.heads, -1))
        key = (self.key(text.words) * text.mask[..., None]).unflatten(-1, (self.heads, -1))
        similar = self.scale * query.transpose(1, 2) @ key.permute(0, 2, 3, 1)
        return torch.where(text.mask[:, None, None], similar, similar + MASKED)

    def word_maps(self, x: Tensor, text: Text) -> Tensor:
        """Attention of each position to each word, mean over heads: (B, H, W, T)."""
        weights = self.similarity(x, text).softmax(dim=-1).mean(dim=1)
        return weights.unflatten(1, x.shape[1:3])
