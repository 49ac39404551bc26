# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Norm adaptation (ReMamber): the text scales and shifts what a norm gives."""

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.layers import MLP
from mmseg_remamber.models.staged import Fused, StageFusion
from mmseg_remamber.text import Text


class TextPool(nn.Module):
    """One vector of a text: an MLP on each word, then the mean over words.

    Args:
        text_dim: width of the word features.
        dim: width of the vector.
        mask_padding: leave padding out of the mean.
    """

    def __init__(self, text_dim: int, dim: int, *, mask_padding: bool = False):
        super().__init__()
        self.mask_padding = mask_padding
        self.mlp = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(), nn.Linear(dim, dim))

    def forward(self, text: Text) -> Tensor:
        """The vector of each sentence, (B, dim) float."""
        vectors = self.mlp(text.words)
        if not self.mask_padding:
            return vectors.mean(1)
        keep = text.mask.to(vectors.dtype)[..., None]
        return (vectors * keep).sum(1) / keep.sum(1)


class NormBlock(nn.Module):
    """Feed-forward layer with a residual whose norm the text modulates:
    ``x + MLP((1 + scale) * LN(x) + bias)`` ("FiLM: Visual Reasoning with a General Conditioning
    Layer", Eq. 2).

    Args:
        dim: width C.
        mlp_ratio: hidden width of the feed-forward layer over ``dim``.
    """

    def __init__(self, dim: int, *, mlp_ratio: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)  # the text's affine takes its place
        self.film = nn.Linear(dim, 2 * dim)
        self.mlp = MLP(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """x: (B, H, W, C), text: (B, C) float -> (B, H, W, C)."""
        scale, bias = self.film(text)[:, None, None].chunk(2, dim=-1)
        return x + self.mlp((1 + scale) * self.norm(x) + bias)


@MODELS.register_module()
class NormFusion(StageFusion):
    """Fusion stage in which an MLP pools a vector from the text, which gives scale and bias after
    the norm, followed by a feed-forward layer (ReMamber, "Norm Adaptation").

    The widths are ours: the pooled vector has C channels, and the feed-forward layer's width brings
    the base model to the Twister's size.

    Args:
        dim: width C of the stage's map.
        text_dim: width of the text features.
        num_tokens: T; the pooling takes any number of words.
        depth: number of blocks.
        mlp_ratio: as in :class:`NormBlock`.
        mask_padding: as in :class:`TextPool`. By default padding takes part, as in the published
            model.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        depth: int = 2,
        mlp_ratio: float = 4.75,
        mask_padding: bool = False,
    ):
        super().__init__()
        self.pool = TextPool(text_dim, dim, mask_padding=mask_padding)
        self.blocks = nn.ModuleList(NormBlock(dim, mlp_ratio=mlp_ratio) for _ in range(depth))

    def forward(self, x: Tensor, text: Text) -> Fused:
        """As :meth:`TwisterFusion.forward`; the sentence's own feature is not used."""
        pooled = self.pool(text)
        for block in self.blocks:
            x = block(x, pooled)
        return Fused(x, text, x, text)
