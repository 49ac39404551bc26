# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pixel-word attention module."""

from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import Linear
from mmseg_remamber.models.pixel_words import PixelWordAttention
from mmseg_remamber.text import Text

from . import fast_lavt


class PWAM(PixelWordAttention):
    """Pixel-word attention module (LAVT, Sec. 3.2 and Fig. 3): each position takes of the words
    what is like it, and is multiplied by it.

    Args:
        dim, text_dim, heads: as of :class:`PixelWordAttention`.
        dropout: rate after both GELUs in training.
    """

    def __init__(self, dim: int, *, text_dim: int, heads: int = 1, dropout: float = 0.0):
        super().__init__(dim, text_dim=text_dim, heads=heads)
        self.vis = Linear(dim, dim)
        self.lang = Linear(dim, dim)
        self.proj = Linear(dim, dim)
        self.act = nn.GELU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, text: Text) -> Tensor:
        """x: (B, H, W, C) float -> (B, H, W, C)."""
        if fast.applies(x):
            return fast_lavt.pwam(self, x, text)
        vis = self.dropout(self.act(self.vis(x)))
        return self.dropout(self.act(self.proj(vis * self.language(x, text))))

    def language(self, x: Tensor, text: Text) -> Tensor:
        """What the words say of each position, normed (LAVT, Eq. 5). x: (B, H, W, C) float -> same
        shape.
        """
        words = self.words_of_positions(self.similarity(x, text), text)
        return self.norm(self.lang(words)).unflatten(1, x.shape[1:3])
