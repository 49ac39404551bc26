# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How much positions of a map and words have to do with each other."""

import torch
from torch import Tensor, nn

from mmseg_remamber.layers import InstanceNorm, Linear
from mmseg_remamber.text import Text

_MASKED = -1e4  # added to the similarity of padding


class PixelWordAttention(nn.Module):
    """Each position takes of the words what is like it (LAVT, Eq. 1 to 4).

    Args:
        dim: width C of the map.
        text_dim: D, width of the words.
        heads: groups of channels that attend apart. The similarity's scale has the full width
            whatever they are, as in LAVT's program.

    Raises:
        ValueError: for a width that is no multiple of ``heads``.
    """

    def __init__(self, dim: int, *, text_dim: int, heads: int = 1):
        super().__init__()
        if dim % heads:
            raise ValueError(f'dim must be a multiple of heads, got {dim} and {heads}')
        self.heads = heads
        self.scale = dim**-0.5
        self.query = Linear(dim, dim)
        self.key = Linear(text_dim, dim)
        self.value = Linear(text_dim, dim)
        self.norm = InstanceNorm()

    def similarity(self, x: Tensor, text: Text) -> Tensor:
        """x: (B, H, W, C) float -> (B, heads, H * W, T), padding at -10000."""
        query = self.by_head(self.norm(self.query(x)).flatten(1, 2))
        key = self.by_head(self.key(text.words) * text.mask[..., None])
        similar = self.scale * query @ key.transpose(-2, -1)
        return torch.where(text.mask[:, None, None], similar, similar + _MASKED)

    def words_of_positions(self, similar: Tensor, text: Text) -> Tensor:
        """softmax(Q K^T) V. similar: (B, heads, L, T) float, of L positions -> (B, L, C)."""
        value = self.by_head(self.value(text.words) * text.mask[..., None])
        return self.of_heads(similar.softmax(dim=-1) @ value)

    def word_maps(self, x: Tensor, text: Text) -> Tensor:
        """Attention of each position to each word, mean over heads: (B, H, W, T)."""
        weights = self.similarity(x, text).softmax(dim=-1).mean(dim=1)
        return weights.unflatten(1, x.shape[1:3])

    def by_head(self, x: Tensor) -> Tensor:
        """x: (B, L, C) -> (B, heads, L, C / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    @staticmethod
    def of_heads(x: Tensor) -> Tensor:
        """x: (B, heads, L, C / heads) -> (B, L, C)."""
        return x.transpose(1, 2).flatten(-2)
