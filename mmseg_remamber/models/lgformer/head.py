# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Decoder of LGFormer."""

from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor

from mmseg_remamber.layers import at_least_float32
from mmseg_remamber.models.heads import MaskHead, check_four_maps
from mmseg_remamber.models.precision import without_autocast
from mmseg_remamber.text import Text

from .pixel_decoder import PixelDecoder
from .query_decoder import QueryDecoder, apply_filter


@MODELS.register_module()
class LGFormerHead(MaskHead):
    """Pixel decoder, and a query decoder that gives a mask before its first layer and after each
    (LGFormer).

    Args:
        in_channels: channels of the four maps, finest first.
        text_dim: D, width of the words.
        num_tokens: T, words of each sentence, padding included.
        channels: inner width of the pixel decoder, a multiple of 32.
        rounds: of the pixel decoder.
        layers: of the query decoder, which gives one map more.
        heads: attention heads of both.
        ffn_dim: hidden width behind deformable attention.
        attn_ffn_dim: hidden width behind all other attention.
        losses, auxiliary_weights: as in :class:`MaskHead`; one weight a layer.

    Raises:
        ValueError: when ``in_channels`` does not name 4 maps, or ``channels`` is no multiple of 32.
    """

    align_corners = False

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        text_dim: int,
        num_tokens: int,
        channels: int = 256,
        rounds: int = 6,
        layers: int = 6,
        heads: int = 8,
        ffn_dim: int = 1024,
        attn_ffn_dim: int = 2048,
        losses: Sequence[dict] = (),
        auxiliary_weights: Sequence[float] = (),
        init_cfg: dict | None = None,
    ):
        super().__init__(losses=losses, auxiliary_weights=auxiliary_weights, init_cfg=init_cfg)
        check_four_maps(in_channels)
        if channels % 32:
            raise ValueError(f'channels must be a multiple of 32, got {channels}')
        self.pixel_decoder = PixelDecoder(
            in_channels,
            channels,
            text_dim=text_dim,
            num_tokens=num_tokens,
            rounds=rounds,
            heads=heads,
            ffn_dim=ffn_dim,
            text_ffn_dim=attn_ffn_dim,
        )
        self.query_decoder = QueryDecoder(
            channels, text_dim=text_dim, layers=layers, heads=heads, ffn_dim=attn_ffn_dim
        )

    def forward(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        """feats: four maps (B, C_i, H_i, W_i) float, finest first -> maps (B, 1, H_0, W_0), the
        last layer's last.

        The pixel decoder computes in float32 under autocast too, as in the authors' program.
        """
        with without_autocast(feats[0].device):
            wide = [at_least_float32(x) for x in feats]
            words = text._replace(words=at_least_float32(text.words))
            features, levels = self.pixel_decoder(wide, words)
        return [apply_filter(features, one) for one in self.query_decoder(levels, text)]
