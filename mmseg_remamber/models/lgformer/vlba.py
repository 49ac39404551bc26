# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Attention between positions and words, in both directions."""

import torch
from torch import Tensor, nn

from mmseg_remamber.layers import InstanceNorm, Linear
from mmseg_remamber.text import Text

MASKED = -1e4  # added to the similarity of padding


class VLBA(nn.Module):
    """Vision-language bidirectional attention (LGFormer): one similarity of positions and words,
    by which each position takes of the words, and each word of the positions.

    Args:
        dim: width C of the map.
        text_dim: D, width of the words.
        heads: groups of channels that attend apart. The similarity's scale has the full width
            whatever they are, as in the authors' program.

    Raises:
        ValueError: for a width that is no multiple of ``heads``.
    """

    def __init__(self, dim: int, *, text_dim: int, heads: int = 1):
        super().__init__()
        if dim % heads or text_dim % heads:
            raise ValueError(
                f'dim and text_dim must be multiples of heads, got {dim}, {text_dim} and {heads}'
            )
        self.heads = heads
        self.scale = dim**-0.5
        self.vis = Linear(dim, dim)
        self.lan = Linear(text_dim, text_dim)
        self.query = Linear(dim, dim)
        self.key = Linear(text_dim, dim)
        self.value = Linear(text_dim, dim)
        self.to_image = Linear(dim, dim)
        self.image_value = Linear(dim, text_dim)
        self.to_words = Linear(text_dim, text_dim)
        self.fuse_image = nn.Sequential(Linear(2 * dim, dim), nn.GELU(), Linear(dim, dim))
        self.fuse_words = nn.Sequential(
            Linear(2 * text_dim, text_dim), nn.GELU(), Linear(text_dim, text_dim)
        )
        self.norm = InstanceNorm()
        self.act = nn.GELU()

    def forward(self, x: Tensor, text: Text) -> tuple[Tensor, Tensor]:
        """x: (B, H, W, C) float -> what both have to do with each other, as a map (B, H, W, C) and
        as words (B, T, D), zero on padding.
        """
        mask = text.mask[..., None]
        similar = self.similarity(x, text)
        value = self._by_head(self.value(text.words) * mask)
        words_of_positions = self._whole(similar.softmax(dim=-1) @ value)
        image = self.norm(self.to_image(words_of_positions)).unflatten(1, x.shape[1:3])
        value = self._by_head(self.norm(self.image_value(x)).flatten(1, 2))
        positions_of_words = self._whole(similar.softmax(dim=-2).transpose(-2, -1) @ value)
        words = self.to_words(positions_of_words * mask) * mask

        vis, lan = self.act(self.vis(x)), self.act(self.lan(text.words)) * mask
        image = self.act(self.fuse_image(torch.cat((vis, image), dim=-1)))
        words = self.act(self.fuse_words(torch.cat((lan, words), dim=-1))) * mask
        return image, words

    def similarity(self, x: Tensor, text: Text) -> Tensor:
        """x: (B, H, W, C) float -> (B, heads, H * W, T), padding at -10000."""
        query = self._by_head(self.norm(self.query(x)).flatten(1, 2))
        key = self._by_head(self.key(text.words) * text.mask[..., None])
        similar = self.scale * query @ key.transpose(-2, -1)
        return torch.where(text.mask[:, None, None], similar, similar + MASKED)

    def word_maps(self, x: Tensor, text: Text) -> Tensor:
        """Attention of each position to each word, mean over heads: (B, H, W, T)."""
        weights = self.similarity(x, text).softmax(dim=-1).mean(dim=1)
        return weights.unflatten(1, x.shape[1:3])

    def _by_head(self, x: Tensor) -> Tensor:
        """x: (B, L, C) -> (B, heads, L, C / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    @staticmethod
    def _whole(x: Tensor) -> Tensor:
        """The way back."""
        return x.transpose(1, 2).flatten(-2)
