# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Text to CLIP token ids, offline."""

import gzip
import json
import tempfile
from functools import lru_cache
from pathlib import Path

from mmseg.utils.tokenizer import bytes_to_unicode, default_bpe
from tokenizers import Regex, normalizers
from transformers import (  # type: ignore[attr-defined]  # some names are made on access
    AutoTokenizer,
    CLIPTokenizerFast,
    PreTrainedTokenizerBase,
)

# what ftfy, by which CLIP's own tokenizer mends texts, takes for quotes
_QUOTES = (('[\u02bc\u2018-\u201b]', "'"), ('[\u201c-\u201f]', '"'))
_NUM_MERGES = 49152 - 256 - 2  # vocabulary size of CLIP's paper less bytes and special tokens


@lru_cache
def load_tokenizer(folder: str | None = None) -> PreTrainedTokenizerBase:
    """A tokenizer, made once in each process.

    It reads special tokens in a text ("<|endoftext|>") as the characters that they are written in.

    Args:
        folder: Local folder of a transformers tokenizer. None is CLIP's, made from the
            vocabulary that mmseg ships: start 49406, end and padding 49407. It reads curly quotes
            and apostrophes as straight ones, as CLIP's own does.

    Raises:
        FileNotFoundError: No such folder. Nothing is looked for on the network.
    """
    if folder is None:
        return _clip_tokenizer()
    if not Path(folder).is_dir():
        raise FileNotFoundError(f'tokenizer must be a local folder, got {folder!r}')
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer.split_special_tokens = True
    return tokenizer


def save_for_clients(tokenizer: PreTrainedTokenizerBase, path: str | Path, max_tokens: int) -> None:
    """Write a tokenizer as JSON that the ``tokenizers`` package reads.

    ``encode(text).ids`` then are what :func:`load_tokenizer`'s makes of a text, padded and cut to
    ``max_tokens``.

    Args:
        tokenizer: with a backend of the ``tokenizers`` package.
        path: file to write.
        max_tokens: T, tokens of each sentence.
    """
    # calling it once sets length and side of padding and truncation in the backend
    tokenizer('a', padding='max_length', truncation=True, max_length=max_tokens)
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content['added_tokens'] = []  # they would be looked for in texts
    Path(path).write_text(json.dumps(content, ensure_ascii=False), encoding='utf-8')


def _clip_tokenizer() -> CLIPTokenizerFast:
    with gzip.open(default_bpe(), 'rt', encoding='utf-8') as file:
        merges = file.read().split('\n')[1 : _NUM_MERGES + 1]  # the first line is a title
    letters = list(bytes_to_unicode().values())
    vocabulary = [
        *letters,
        *(letter + '</w>' for letter in letters),
        *(''.join(merge.split()) for merge in merges),
        '<|startoftext|>',
        '<|endoftext|>',
    ]
    # files, because the constructor's arguments differ between transformers 4 and 5
    with tempfile.TemporaryDirectory() as folder:
        ids = {token: index for index, token in enumerate(vocabulary)}
        (Path(folder) / 'vocab.json').write_text(json.dumps(ids))
        (Path(folder) / 'merges.txt').write_text(
            '\n'.join(['#version: 0.2', *merges]), encoding='utf-8'
        )
        tokenizer = CLIPTokenizerFast.from_pretrained(folder, local_files_only=True)
    tokenizer.split_special_tokens = True
    backend = tokenizer.backend_tokenizer
    straighten = [normalizers.Replace(Regex(curly), straight) for curly, straight in _QUOTES]
    backend.normalizer = normalizers.Sequence([*straighten, backend.normalizer])
    return tokenizer
