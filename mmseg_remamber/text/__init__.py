# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Sentences: tokenizers, text encoders, and the features that travel from them."""

from mmseg_remamber.openmmlab import require

require('mmengine', 'mmcv', 'mmseg')

from .bert import BERTSentenceEncoder
from .clip import CLIPSentenceEncoder
from .features import Text, TextEncoder
from .tokenizer import load_tokenizer

__all__ = ['BERTSentenceEncoder', 'CLIPSentenceEncoder', 'Text', 'TextEncoder', 'load_tokenizer']
