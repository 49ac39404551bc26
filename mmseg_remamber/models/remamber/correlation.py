# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What each place of a map has to do with the sentence (ReMamber, Sec. 3.2)."""

import torch
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import Linear, conv_nhwc
from mmseg_remamber.text import Text

from . import fast_remamber


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
        """sentence: (B, text_dim) float -> (B, 1, 1, dim)."""
        return super().forward(sentence)[:, None, None, :]


class LocalText(nn.Module):
    """Image-text correlation: a convolution over how similar each position is to each word.

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
        self.image_proj = Linear(dim, hidden_dim)
        self.text_proj = Linear(text_dim, hidden_dim)
        self.conv = nn.Conv2d(num_tokens, hidden_dim, 3, padding=1)
        self.act = nn.GELU()
        self.out_proj = Linear(hidden_dim, dim)

    def forward(self, x: Tensor, text: Text) -> Tensor:
        """x: (B, H, W, dim) float -> (B, H, W, dim).

        Raises:
            ValueError: when there are not ``num_tokens`` words.
        """
        if fast.applies(x):
            return fast_remamber.local_text(self, x, text)
        similarity = self.word_maps(x, text)
        return self.out_proj(self.act(conv_nhwc(self.conv, similarity)))

    def word_maps(self, x: Tensor, text: Text) -> Tensor:
        """How similar each position is to each word: (B, H, W, T) float; arguments as above."""
        image = self.act(self.image_proj(x))
        similarity = torch.einsum('bhwd,btd->bhwt', image, self.project_words(text))
        if self.mask_padding:
            similarity = similarity * text.mask[:, None, None].to(similarity.dtype)
        return similarity

    def project_words(self, text: Text) -> Tensor:
        """The words in the width of the similarity: (B, T, hidden_dim) float."""
        if text.words.shape[1] != self.num_tokens:
            raise ValueError(f'words must have {self.num_tokens} tokens, got {text.words.shape[1]}')
        return self.act(self.text_proj(text.words))
