# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""From sentences to token ids."""

from typing import Literal, get_args

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

Cut = Literal['words', 'end']


@TRANSFORMS.register_module()
class ChooseSentence(BaseTransform):
    """Choose one of an object's sentences at random, anew at each access; keep a given ``text``.

    Required keys: text (str), or sentences (list[str]) and sent_ids (list[int]).
    Added keys: text, sent_id.

    Raises:
        KeyError: Neither is there.
    """

    def transform(self, results: dict) -> dict:
        if 'text' in results:
            return results
        if 'sentences' not in results:
            raise KeyError(f'ChooseSentence needs text or sentences, got {sorted(results)}')
        # the global generator is the one that mmengine seeds in each worker
        index = np.random.randint(len(results['sentences']))  # noqa: NPY002
        results['text'] = results['sentences'][index]
        results['sent_id'] = results['sent_ids'][index]
        return results


@TRANSFORMS.register_module()
class TokenizeText(BaseTransform):
    """Turn the sentence into token ids.

    ``<start> words <end>``, filled with the padding token (CLIP: the end token again) or cut to
    ``max_tokens``, and then marked.

    Required keys: text (str).
    Added keys: token_ids ((T,) int64 tensor), token_mask ((T,) bool tensor, False on
    padding), num_tokens (int, of the whole sentence with start and end), truncated
    (bool, more of them than ``max_tokens``).

    Args:
        max_tokens: T, at least 3.
        tokenizer: as :func:`mmseg_remamber.text.load_tokenizer` takes it: a local folder, a
            vocabulary file or a name on the hub; None is CLIP's, which needs no file.
        cut: What a sentence that is too long loses: 'words' before its end token, or its 'end',
            as in the programs of LAVT and LGFormer, which take the first T ids of the whole.

    Raises:
        ValueError: ``max_tokens`` under 3, an unknown ``cut``, or a text without any word.
        OSError: No such tokenizer; at the first use, when it is loaded.
    """

    def __init__(
        self,
        max_tokens: int = 20,
        tokenizer: str | None = None,
        cut: Cut = 'words',
    ):
        if max_tokens < 3:
            raise ValueError(f'max_tokens must be at least 3, got {max_tokens}')
        if cut not in get_args(Cut):
            raise ValueError(f'cut must be one of {list(get_args(Cut))}, got {cut!r}')
        self.max_tokens = max_tokens
        self.tokenizer = tokenizer
        self.cut = cut

    def transform(self, results: dict) -> dict:
        if not results['text'].strip():
            raise ValueError(f'text must have a word, got {results["text"]!r}')
        # By the first sentence: with tokenizers come encoders, which take seconds to import, and
        # datasets are read without either.
        from mmseg_remamber.text import load_tokenizer

        tokenizer = load_tokenizer(self.tokenizer)
        options = dict(padding='max_length', max_length=self.max_tokens, verbose=False)
        encoded = tokenizer(results['text'], truncation=False, **options)
        num_tokens = sum(encoded['attention_mask'])
        if num_tokens > self.max_tokens and self.cut == 'words':
            encoded = tokenizer(results['text'], truncation=True, **options)
        ids, mask = (encoded[key][: self.max_tokens] for key in ('input_ids', 'attention_mask'))
        results['token_ids'] = torch.tensor(ids)
        results['token_mask'] = torch.tensor(mask, dtype=torch.bool)
        results['num_tokens'] = num_tokens
        results['truncated'] = num_tokens > self.max_tokens
        return results
