# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Attention-based conditioning (ReMamber): each position attends to the words."""

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.layers import MLP
from mmseg_remamber.models.staged import Fused
from mmseg_remamber.text import Text

from .embedding import PositionedFusion


class AttentionBlock(nn.Module):
    """Cross-attention from the map to the words, then a feed-forward layer, with residuals.

    Args:
        dim: width C.
        num_heads: attention heads.
        mlp_ratio: hidden width of the feed-forward layer over ``dim``.
    """

    def __init__(self, dim: int, *, num_heads: int, mlp_ratio: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, num_heads, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor, text: Tensor, padding: Tensor | None) -> Tensor:
        """Args:
            x: (B, H, W, C) float.
            text: (B, T, C) float.
            padding: (B, T) bool, True on tokens that are not attended to; None attends to all.

        Returns:
            (B, H, W, C) float.
        """
        queries = self.norm(x).flatten(1, 2)
        read, _ = self.attention(queries, text, text, key_padding_mask=padding, need_weights=False)
        x = x + read.unflatten(1, x.shape[1:3])
        return x + self.mlp(self.norm2(x))

    def word_maps(self, x: Tensor, text: Tensor, padding: Tensor | None) -> Tensor:
        """Attention of each position over the words, mean of the heads: (B, H, W, T) float.

        Arguments as of :meth:`forward`.
        """
        queries = self.norm(x).flatten(1, 2)
        _, weights = self.attention(queries, text, text, key_padding_mask=padding)
        return weights.unflatten(1, x.shape[1:3])


@MODELS.register_module()
class AttentionFusion(PositionedFusion):
    """Fusion stage in which image tokens query, and words are key and value (ReMamber,
    "Attention-based Conditioning"), with learned positions for each kind.

    The widths are ours: words are projected to C, and the feed-forward layer's width brings the
    base model to the Twister's size.

    Args:
        dim, text_dim, num_tokens, position_size, mask_padding: as in :class:`PositionedFusion`.
        depth: number of blocks.
        head_dim: width of each attention head; must divide ``dim``.
        mlp_ratio: as in :class:`AttentionBlock`.

    Raises:
        ValueError: when ``head_dim`` does not divide ``dim``.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        depth: int = 2,
        head_dim: int = 64,
        mlp_ratio: float = 3.75,
        position_size: int = 16,
        mask_padding: bool = False,
    ):
        if head_dim <= 0 or dim % head_dim:
            raise ValueError(f'head_dim must divide dim {dim}, got {head_dim!r}')
        super().__init__(
            dim,
            text_dim=text_dim,
            num_tokens=num_tokens,
            position_size=position_size,
            mask_padding=mask_padding,
        )
        self.blocks = nn.ModuleList(
            AttentionBlock(dim, num_heads=dim // head_dim, mlp_ratio=mlp_ratio)
            for _ in range(depth)
        )

    def forward(self, x: Tensor, text: Text) -> Fused:
        """As :meth:`TwisterFusion.forward`; the sentence's own feature is not used."""
        x, words = self.map_position(x), self.words(text.words)
        padding = ~text.mask if self.mask_padding else None
        for block in self.blocks:
            x = block(x, words, padding)
        return Fused(x, text, x, text)
