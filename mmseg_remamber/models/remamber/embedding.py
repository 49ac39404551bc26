# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Image and text tokens of one width, each kind with learned positions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber.models.staged import StageFusion

POSITION_STD = 0.02


class WordEmbedding(nn.Module):
    """Words brought to the map's width, plus a learned embedding of each place in the sentence.

    Args:
        text_dim: width of the word features.
        dim: width of the map.
        num_tokens: T, words of each sentence, padding included.
    """

    def __init__(self, text_dim: int, dim: int, *, num_tokens: int):
        super().__init__()
        self.proj = nn.Linear(text_dim, dim)
        self.position = nn.Parameter(torch.empty(num_tokens, dim))
        nn.init.trunc_normal_(self.position, std=POSITION_STD)

    def forward(self, words: Tensor) -> Tensor:
        """words: (B, T, text_dim) float -> (B, T, dim).

        Raises:
            ValueError: when there are not ``num_tokens`` words.
        """
        num_tokens = len(self.position)
        if words.shape[1] != num_tokens:
            raise ValueError(f'words must have {num_tokens} tokens, got {words.shape[1]}')
        return self.proj(words) + self.position


class MapPosition(nn.Module):
    """Adds a learned embedding of each position to a map of any size.

    The embeddings are those of a ``size`` x ``size`` map; for another size they are interpolated
    (bilinear, corners not aligned).

    Args:
        dim: width of the map.
        size: side of the map that the embeddings are kept for.
    """

    def __init__(self, dim: int, *, size: int):
        super().__init__()
        if size <= 0:
            raise ValueError(f'size must be positive, got {size!r}')
        self.position = nn.Parameter(torch.empty(1, dim, size, size))
        nn.init.trunc_normal_(self.position, std=POSITION_STD)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, dim) float -> same shape."""
        position = F.interpolate(self.position, x.shape[1:3], mode='bilinear', align_corners=False)
        return x + position.permute(0, 2, 3, 1)


class PositionedFusion(StageFusion):
    """What fusion stages of image and text tokens have in common: both embedded with positions.

    Args:
        dim: width C of the stage's map.
        text_dim: width of the text features.
        num_tokens: T, words of each sentence, padding included.
        position_size: side of the map that the image positions are learned for; they are
            interpolated to any other.
        mask_padding: padding takes no part. By default it does, as in the published model.
    """

    def __init__(
        self, dim: int, *, text_dim: int, num_tokens: int, position_size: int, mask_padding: bool
    ):
        super().__init__()
        self.mask_padding = mask_padding
        self.map_position = MapPosition(dim, size=position_size)
        self.words = WordEmbedding(text_dim, dim, num_tokens=num_tokens)
