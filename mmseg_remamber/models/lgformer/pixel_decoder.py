# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pixel decoder of LGFormer: coarse maps that attend to each other and to the words."""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber.layers import Linear
from mmseg_remamber.text import Text

from .cross_attention import CrossAttentionLayer, xavier
from .deform_attn import DeformableAttention, Size
from .positions import centres, sine_positions

NUM_LEVELS = 3


class DeformableLayer(nn.Module):
    """Deformable attention of all levels to each other, then a feed-forward layer, each added and
    normed ("Deformable DETR", Sec. 4.1).

    Args:
        dim: width.
        heads: attention heads.
        ffn_dim: hidden width of the feed-forward layer.
    """

    def __init__(self, dim: int, *, heads: int, ffn_dim: int):
        super().__init__()
        self.attn = DeformableAttention(dim, heads=heads, levels=NUM_LEVELS)
        self.norm1 = nn.LayerNorm(dim)
        self.ffn = nn.Sequential(Linear(dim, ffn_dim), nn.ReLU(), Linear(ffn_dim, dim))
        self.norm2 = nn.LayerNorm(dim)
        xavier(self.ffn)

    def forward(self, x: Tensor, pos: Tensor, places: Tensor, sizes: Sequence[Size]) -> Tensor:
        """x: (B, S, C) float, pos: (S, C) -> (B, S, C); others as :class:`DeformableAttention`."""
        x = self.norm1(x + self.attn(x + pos, x, places, sizes))
        return self.norm2(x + self.ffn(x))


def _zero_bias(conv: nn.Module) -> None:
    nn.init.zeros_(cast(Tensor, conv.bias))


class PixelDecoder(nn.Module):
    """Three coarse maps as one sequence through rounds of deformable attention and attention to the
    words; then a fine map of them and of the finest one (LGFormer).

    Args:
        in_channels: channels of the four maps, finest first.
        dim: inner width, a multiple of 32.
        text_dim: D, width of the words.
        num_tokens: T; each word's place has an embedding of its own.
        rounds: how often.
        heads: attention heads.
        ffn_dim, text_ffn_dim: hidden widths behind the two attentions.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        rounds: int,
        heads: int,
        ffn_dim: int,
        text_ffn_dim: int,
    ):
        super().__init__()
        self.dim = dim
        finest, *coarse = in_channels
        self.input_projs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, dim, 1), nn.GroupNorm(32, dim))
            for width in reversed(coarse)
        )
        self.level_embed = nn.Parameter(torch.randn(NUM_LEVELS, dim))
        self.layers = nn.ModuleList(
            DeformableLayer(dim, heads=heads, ffn_dim=ffn_dim) for _ in range(rounds)
        )
        self.text_layers = nn.ModuleList(
            CrossAttentionLayer(dim, text_dim, heads=heads, ffn_dim=text_ffn_dim)
            for _ in range(rounds)
        )
        self.key_embed = nn.Embedding(num_tokens, text_dim)
        self.adapter = nn.Sequential(nn.Conv2d(finest, dim, 1, bias=False), nn.GroupNorm(32, dim))
        self.fine = nn.Sequential(
            nn.Conv2d(dim, dim, 3, padding=1, bias=False), nn.GroupNorm(32, dim), nn.ReLU()
        )
        self.mask_features = nn.Conv2d(dim, dim, 1)
        xavier(self.text_layers)
        xavier(self.key_embed)
        for proj in self.input_projs:
            conv, _ = cast(nn.Sequential, proj)
            xavier(conv)
            _zero_bias(conv)
        for conv in (self.adapter[0], self.fine[0], self.mask_features):
            nn.init.kaiming_uniform_(cast(Tensor, conv.weight), a=1)
        _zero_bias(self.mask_features)

    def forward(self, feats: Sequence[Tensor], text: Text) -> tuple[Tensor, list[Tensor]]:
        """Args:
            feats: four maps (B, C_i, H_i, W_i) float, finest first.
            text: the sentences.

        Returns:
            The fine map (B, C, H_0, W_0), and the three coarse ones, coarsest first.
        """
        finest, *coarse = feats
        maps = [proj(x) for proj, x in zip(self.input_projs, reversed(coarse), strict=True)]
        sizes = [(x.shape[2], x.shape[3]) for x in maps]
        x = torch.cat([one.flatten(2) for one in maps], dim=-1).transpose(1, 2)
        pos = torch.cat(
            [
                sine_positions(*size, self.dim, x) + embed
                for size, embed in zip(sizes, self.level_embed, strict=True)
            ]
        )
        places = torch.cat([centres(*size, x) for size in sizes])
        key = text.words + self.key_embed.weight
        for layer, text_layer in zip(self.layers, self.text_layers, strict=True):
            x = layer(x, pos, places, sizes)
            x = text_layer(x, x + pos, key, text.words, text.mask)
        sequences = x.transpose(1, 2).split([height * width for height, width in sizes], dim=-1)
        levels = [one.unflatten(-1, size) for one, size in zip(sequences, sizes, strict=True)]
        # the size of the finest map, corners not aligned
        coarse_part = F.interpolate(levels[-1], finest.shape[2:], mode='bilinear')
        fine = self.fine(self.adapter(finest) + coarse_part)
        return self.mask_features(fine), levels
