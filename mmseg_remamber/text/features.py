# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What is known of sentences, and who makes it."""

from abc import abstractmethod
from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor


class Text(NamedTuple):
    """Features of a batch of sentences: all that fusions and heads learn of them.

    Attributes:
        words: (B, T, D) float, a feature of each token, padding included.
        mask: (B, T) bool, False on padding.
        sentence: (B, D) float, one feature of the whole sentence.
    """

    words: Tensor
    mask: Tensor
    sentence: Tensor


class TextEncoder(BaseModule):
    """Contract of a text encoder: token ids in, :class:`Text` out.

    A subclass says in :meth:`mask_of` which ids are padding, so that no other module has to know
    its special tokens.

    Attributes:
        width: D, the width of its features.
    """

    width: int

    @abstractmethod
    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Text:
        """Encode sentences.

        Args:
            token_ids: (B, T) int64.
            token_mask: (B, T) bool or integer, 0 on padding.
        """

    @abstractmethod
    def mask_of(self, token_ids: Tensor) -> Tensor:
        """Token mask of ids as the tokenizer of this encoder makes them.

        token_ids: (B, T) int64 -> (B, T) bool, False on padding.
        """

    @abstractmethod
    def check_ids(self, token_ids: Tensor) -> None:
        """Refuse ids that another tokenizer has made. token_ids: (B, T) int64.

        Raises:
            ValueError: naming what is expected and what was found.
        """

    @abstractmethod
    def longest_sentence(self, num_tokens: int) -> Tensor:
        """Token ids of a sentence without padding, for measurements: (1, num_tokens) int64."""
