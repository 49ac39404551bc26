# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Query decoder of LGFormer: the sentence asks the maps, and becomes the filter of a mask."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmseg_remamber.layers import Linear
from mmseg_remamber.text import Text

from .cross_attention import CrossAttentionLayer, xavier
from .pixel_decoder import NUM_LEVELS
from .positions import sine_positions


class QueryDecoder(nn.Module):
    """One query, the mean of the words, attends to the coarse maps in turn; before and after each
    layer it gives a filter of kernel 1 and its bias (LGFormer: dynamic convolution).

    Args:
        dim: width of the maps.
        text_dim: D, width of words and query.
        layers: number of layers.
        heads: attention heads.
        ffn_dim: hidden width of the feed-forward layers.
    """

    def __init__(self, dim: int, *, text_dim: int, layers: int, heads: int, ffn_dim: int):
        super().__init__()
        self.dim = dim
        self.text_proj = Linear(text_dim, text_dim)
        self.query_embed = nn.Embedding(1, text_dim)
        self.level_embed = nn.Embedding(NUM_LEVELS, dim)
        self.layers = nn.ModuleList(
            CrossAttentionLayer(text_dim, dim, heads=heads, ffn_dim=ffn_dim) for _ in range(layers)
        )
        self.filter = nn.Sequential(
            Linear(text_dim, text_dim),
            nn.ReLU(),
            Linear(text_dim, text_dim),
            nn.ReLU(),
            Linear(text_dim, dim + 1),
        )
        xavier(self.layers)
        for layer in list(self.layers)[1:]:  # the program copies the first
            layer.load_state_dict(self.layers[0].state_dict())

    def forward(self, levels: Sequence[Tensor], text: Text) -> list[Tensor]:
        """Args:
            levels: three maps (B, C, H_i, W_i) float, coarsest first.
            text: the sentences.

        Returns:
            A filter of C weights and a bias, (B, C + 1) float, before the first layer and after
            each.
        """
        weight = text.mask[..., None].to(text.words.dtype)
        mean = (text.words * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1e-6)
        query = self.text_proj(mean)[:, None]
        values, keys = [], []
        for level, embed in zip(levels, self.level_embed.weight, strict=True):
            value = level.flatten(2).transpose(1, 2) + embed
            values.append(value)
            keys.append(value + sine_positions(level.shape[2], level.shape[3], self.dim, value))
        filters = [self.filter(query)]
        for number, layer in enumerate(self.layers):
            turn = number % NUM_LEVELS
            asked = query + self.query_embed.weight
            query = layer(query, asked, keys[turn], values[turn])
            filters.append(self.filter(query))
        return [one[:, 0] for one in filters]


def apply_filter(features: Tensor, filters: Tensor) -> Tensor:
    """features: (B, C, H, W) float, filters: (B, C + 1) float -> (B, 1, H, W)."""
    weights, bias = filters[:, :-1], filters[:, -1]
    return torch.einsum('bchw,bc->bhw', features, weights)[:, None] + bias[:, None, None, None]
