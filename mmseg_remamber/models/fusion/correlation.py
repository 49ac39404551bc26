# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What each place of a map has to do with the sentence (ReMamber, Sec. 3.2)."""

import torch
from torch import Tensor, nn

from mmseg_remamber.vmamba.layers import conv_nhwc
from mmseg_remamber.vmamba.linear import Linear
from mmseg_remamber.vmamba.strips import by_rows


class GlobalText(nn.Sequential):
    """The sentence brought to the map's width: Linear, ReLU.

    Args:
        text_dim: width of the sentence feature.
        dim: width of the map.

    Shape: (B, text_dim) float -> (B, 1, 1, dim), to be broadcast over the map.
    """

    def __init__(self, text_dim: int, dim: int):
        super().__init__(Linear(text_dim, dim), nn.ReLU())

    def forward(self, sentence: Tensor) -> Tensor:
        return super().forward(sentence)[:, None, None, :]


class LocalText(nn.Module):
    """Image-text correlation: how similar each position is to each word, read by a convolution.

    Args:
        dim: width of the map.
        text_dim: width of the word features.
        num_tokens: T, words of each sentence, padding included.
        hidden_dim: width in which similarity is taken.
        mask_padding: leave padding out of the similarity map. The published model lets it take
            part.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        hidden_dim: int = 512,
        mask_padding: bool = False,
    ):
        super().__init__()
        self.num_tokens = num_tokens
        self.mask_padding = mask_padding
        # sequences of one, as the published weights are named
        self.image_proj = nn.Sequential(Linear(dim, hidden_dim, gelu=True))
        self.text_proj = nn.Sequential(Linear(text_dim, hidden_dim, gelu=True))
        self.conv = nn.Conv2d(num_tokens, hidden_dim, 3, padding=1)
        self.act = nn.GELU()
        self.out_proj = Linear(hidden_dim, dim)

    def forward(self, x: Tensor, words: Tensor, token_mask: Tensor) -> Tensor:
        """Args:
            x: (B, H, W, dim) float map.
            words: (B, T, text_dim) float.
            token_mask: (B, T), 0 on padding.

        Returns:
            (B, H, W, dim) float.
        """
        similarity = self.similarity(x, words, token_mask)
        return by_rows(self._read, similarity, width=self.conv.out_channels, halo=1)

    def _read(self, similarity: Tensor) -> Tensor:
        return self.out_proj(self.act(conv_nhwc(self.conv, similarity)))

    def similarity(self, x: Tensor, words: Tensor, token_mask: Tensor) -> Tensor:
        """The similarity map, (B, H, W, T) float; arguments as in ``forward``."""
        if words.shape[1] != self.num_tokens:
            raise ValueError(f'words must have {self.num_tokens} tokens, got {words.shape[1]}')
        text = self.text_proj(words)
        similarity = by_rows(
            lambda rows: torch.einsum('bhwd,btd->bhwt', self.image_proj(rows), text),
            x,
            width=self.conv.out_channels,
        )
        if self.mask_padding:
            similarity = similarity * token_mask[:, None, None].to(similarity.dtype)
        return similarity
