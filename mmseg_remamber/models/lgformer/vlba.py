# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Attention between positions and words, in both directions."""

import torch
from torch import Tensor, nn

from mmseg_remamber.layers import Linear
from mmseg_remamber.models.pixel_words import PixelWordAttention
from mmseg_remamber.text import Text


class VLBA(PixelWordAttention):
    """Vision-language bidirectional attention (LGFormer): one similarity of positions and words,
    by which each position takes of the words, and each word of the positions.

    Args:
        dim, text_dim, heads: as of :class:`PixelWordAttention`.

    Raises:
        ValueError: for a width of the words that is no multiple of ``heads``.
    """

    def __init__(self, dim: int, *, text_dim: int, heads: int = 1):
        super().__init__(dim, text_dim=text_dim, heads=heads)
        if text_dim % heads:
            raise ValueError(f'text_dim must be a multiple of heads, got {text_dim} and {heads}')
        self.vis = Linear(dim, dim)
        self.lan = Linear(text_dim, text_dim)
        self.to_image = Linear(dim, dim)
        self.image_value = Linear(dim, text_dim)
        self.to_words = Linear(text_dim, text_dim)
        self.fuse_image = nn.Sequential(Linear(2 * dim, dim), nn.GELU(), Linear(dim, dim))
        self.fuse_words = nn.Sequential(
            Linear(2 * text_dim, text_dim), nn.GELU(), Linear(text_dim, text_dim)
        )
        self.act = nn.GELU()

    def forward(self, x: Tensor, text: Text) -> tuple[Tensor, Tensor]:
        """x: (B, H, W, C) float -> what both have to do with each other, as a map (B, H, W, C) and
        as words (B, T, D), zero on padding.
        """
        mask = text.mask[..., None]
        similar = self.similarity(x, text)
        words_of_positions = self.words_of_positions(similar, text)
        image = self.norm(self.to_image(words_of_positions)).unflatten(1, x.shape[1:3])
        value = self.by_head(self.norm(self.image_value(x)).flatten(1, 2))
        positions_of_words = self.of_heads(similar.softmax(dim=-2).transpose(-2, -1) @ value)
        words = self.to_words(positions_of_words * mask) * mask

        vis, lan = self.act(self.vis(x)), self.act(self.lan(text.words)) * mask
        image = self.act(self.fuse_image(torch.cat((vis, image), dim=-1)))
        words = self.act(self.fuse_words(torch.cat((lan, words), dim=-1))) * mask
        return image, words
