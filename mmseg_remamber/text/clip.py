# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""CLIP's text transformer as a text encoder."""

from typing import Any

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from .clip_weights import read_text_weights
from .features import Text
from .pretrained import PretrainedTextEncoder


@MODELS.register_module()
class CLIPSentenceEncoder(PretrainedTextEncoder):
    """CLIP's text transformer (ReMamber, Sec. 3.1), without its projection.

    Built from sizes, with random weights; or with the sizes and weights of a local folder or a
    hub name in transformers' layout, or the weights of a file. The defaults are ViT-L/14's.

    Args:
        width: feature width.
        layers: number of transformer layers.
        heads: attention heads.
        ffn_dim: hidden width of the feed-forward layers; 4 times ``width`` by default.
        vocab_size: number of token ids.
        max_positions: longest sentence in tokens.
        eos_id: id of the end-of-text token, whose feature is the sentence's.
        dropout: attention dropout in training.
        token_init_std: standard deviation of the token embeddings at initialisation; CLIP's 0.02 by
            default. A model trained from random weights on little data learns sooner with a larger
            one: at 0.02 attention drowns the words' own embeddings, and all words look alike.
        pretrained: local folder or hub name, or a file with weights in our keys or transformers';
            its sizes must equal those above. It is read by ``init_weights``, which the runner and
            ``init_model`` call, not by the constructor.

    Raises:
        ValueError: from ``init_weights``, when the pretrained model has other sizes.
    """

    def __init__(
        self,
        *,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        ffn_dim: int | None = None,
        vocab_size: int = 49408,
        max_positions: int = 77,
        eos_id: int = 49407,
        dropout: float = 0.0,
        token_init_std: float | None = None,
        pretrained: str | None = None,
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f'width must be a multiple of heads, got {width} and {heads}')
        if not 0 <= eos_id < vocab_size:
            raise ValueError(f'eos_id must be in [0, {vocab_size}), got {eos_id}')
        config = CLIPTextConfig(
            vocab_size=vocab_size,
            hidden_size=width,
            intermediate_size=ffn_dim or 4 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=max_positions,
            hidden_act='quick_gelu',
            layer_norm_eps=1e-5,
            attention_dropout=dropout,
            bos_token_id=max(eos_id - 1, 0),
            eos_token_id=eos_id,
            pad_token_id=eos_id,
        )
        self.width = width
        self.eos_id = eos_id
        self.pretrained = pretrained
        self.model = _text_transformer(CLIPTextModel(config))
        if token_init_std is not None:
            nn.init.normal_(self.model.embeddings.token_embedding.weight, std=token_init_std)

    @staticmethod
    def read_file(path: str) -> dict[str, Tensor]:
        """As :func:`~.clip_weights.read_text_weights`."""
        return read_text_weights(path)

    @staticmethod
    def fetch(source: str, *, local: bool) -> Any:
        """As :meth:`PretrainedTextEncoder.fetch`."""
        return _text_transformer(CLIPTextModel.from_pretrained(source, local_files_only=local))

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Text:
        """Encode sentences.

        Args:
            token_ids: (B, T) int64, each row with an end-of-text token.
            token_mask: (B, T) bool or integer, 1 on the tokens of the sentence, 0 on padding.

        Returns:
            Features of width D = ``width`` after the final norm. That of the first end-of-text
            token is the sentence's.
        """
        words = self.model(input_ids=token_ids, attention_mask=token_mask.long()).last_hidden_state
        ends = (token_ids == self.eos_id).int().argmax(dim=-1)  # the first of equals
        rows = torch.arange(words.shape[0], device=words.device)  # len() would fix the batch size
        return Text(words, token_mask != 0, words[rows, ends])

    def mask_of(self, token_ids: Tensor) -> Tensor:
        """True up to and with the first end token. (B, T) int64 -> (B, T) bool."""
        is_end = (token_ids == self.eos_id).long()
        return is_end.cumsum(1) - is_end == 0  # no end token before

    def check_ids(self, token_ids: Tensor) -> None:
        """Refuse ids without an end token, or beyond the vocabulary. token_ids: (B, T) int64.

        Raises:
            ValueError: for such a sentence.
        """
        vocabulary = self.model.config.vocab_size
        for ids in token_ids.tolist():
            if self.eos_id not in ids or not 0 <= min(ids) <= max(ids) < vocabulary:
                raise ValueError(
                    f'the tokenizer is not of this text encoder: a sentence must have the end '
                    f'token {self.eos_id} and ids in [0, {vocabulary}), got {ids}'
                )

    def longest_sentence(self, num_tokens: int) -> Tensor:
        """Token ids of a sentence without padding: (1, num_tokens) int64."""
        token_ids = torch.ones(1, num_tokens, dtype=torch.long)
        token_ids[:, -1] = self.eos_id
        return token_ids


def _text_transformer(model: CLIPTextModel) -> Any:
    """transformers 4.x wraps the transformer in ``text_model``; 5.x does not."""
    return getattr(model, 'text_model', model)
