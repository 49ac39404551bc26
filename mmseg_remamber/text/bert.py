# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""BERT as a text encoder."""

import torch
from mmseg.registry import MODELS
from torch import Tensor
from transformers import BertConfig, BertModel

from .bert_weights import read_text_weights
from .features import Text
from .pretrained import PretrainedTextEncoder


@MODELS.register_module()
class BERTSentenceEncoder(PretrainedTextEncoder):
    """BERT without its pooler, as LAVT and LGFormer read sentences (LAVT, Sec. 3.1).

    Built from sizes, with random weights; or with the sizes and weights of a local folder or a
    hub name in transformers' layout, or the weights of a file. The defaults are those of
    bert-base-uncased.

    Args:
        width: feature width.
        layers: number of transformer layers.
        heads: attention heads.
        ffn_dim: hidden width of the feed-forward layers; 4 times ``width`` by default.
        vocab_size: number of token ids.
        max_positions: longest sentence in tokens.
        pad_id: id of the padding token.
        dropout: of hidden states and attention in training. ``lavt`` never switches its BERT to
            training and has 0; ``lavt_one`` and LGFormer have 0.1.
        trained_layers: how many of the first layers are trained. The others and the embeddings then
            stay as they are: the optimisers of LAVT and LGFormer leave out the embeddings, LAVT's
            the last two layers too. None trains everything.
        pretrained: local folder or hub name, or a file with weights in our keys or transformers';
            its sizes must equal those above. It is read by ``init_weights``, which the runner and
            ``init_model`` call, not by the constructor.

    Raises:
        ValueError: for sizes that do not go together; from ``init_weights``, when the pretrained
            model has other sizes.
    """

    SIZES = (*PretrainedTextEncoder.SIZES, 'layer_norm_eps')

    def __init__(
        self,
        *,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        ffn_dim: int | None = None,
        vocab_size: int = 30522,
        max_positions: int = 512,
        pad_id: int = 0,
        dropout: float = 0.1,
        trained_layers: int | None = None,
        pretrained: str | None = None,
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f'width must be a multiple of heads, got {width} and {heads}')
        if not 0 <= pad_id < vocab_size:
            raise ValueError(f'pad_id must be in [0, {vocab_size}), got {pad_id}')
        if trained_layers is not None and not 0 <= trained_layers <= layers:
            raise ValueError(f'trained_layers must be in [0, {layers}], got {trained_layers!r}')
        config = BertConfig(
            vocab_size=vocab_size,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=ffn_dim or 4 * width,
            hidden_act='gelu',
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            max_position_embeddings=max_positions,
            layer_norm_eps=1e-12,
            pad_token_id=pad_id,
        )
        self.width = width
        self.pad_id = pad_id
        self.pretrained = pretrained
        self.model = BertModel(config, add_pooling_layer=False)
        if trained_layers is not None:
            self.model.embeddings.requires_grad_(False)
            self.model.encoder.layer[trained_layers:].requires_grad_(False)

    @staticmethod
    def read_file(path: str) -> dict[str, Tensor]:
        """As :func:`~.bert_weights.read_text_weights`."""
        return read_text_weights(path)

    @staticmethod
    def fetch(source: str, *, local: bool) -> BertModel:
        """As :meth:`PretrainedTextEncoder.fetch`."""
        return BertModel.from_pretrained(source, local_files_only=local, add_pooling_layer=False)

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Text:
        """Encode sentences.

        Args:
            token_ids: (B, T) int64.
            token_mask: (B, T) bool or integer, 1 on the tokens of the sentence, 0 on padding.

        Returns:
            Features of width D = ``width``. That of the first token, ``[CLS]``, is the sentence's.
        """
        mask = token_mask.long()
        words = self.model(input_ids=token_ids, attention_mask=mask).last_hidden_state
        return Text(words, token_mask != 0, words[:, 0])

    def mask_of(self, token_ids: Tensor) -> Tensor:
        """True where no padding is. (B, T) int64 -> (B, T) bool."""
        return token_ids != self.pad_id

    def check_ids(self, token_ids: Tensor) -> None:
        """Refuse ids beyond the vocabulary, or with a token after padding. token_ids: (B, T) int64.

        Raises:
            ValueError: for such a sentence.
        """
        vocabulary = self.model.config.vocab_size
        for ids, is_token in zip(token_ids.tolist(), self.mask_of(token_ids).tolist(), strict=True):
            is_whole = is_token == sorted(is_token, reverse=True) and any(is_token)
            if not (is_whole and 0 <= min(ids) <= max(ids) < vocabulary):
                raise ValueError(
                    f'the tokenizer is not of this text encoder: a sentence must have ids in [0, '
                    f'{vocabulary}), and the padding token {self.pad_id} only at its end, got {ids}'
                )

    def longest_sentence(self, num_tokens: int) -> Tensor:
        """Token ids of a sentence without padding: (1, num_tokens) int64."""
        return torch.full((1, num_tokens), 1 if self.pad_id == 0 else 0, dtype=torch.long)
