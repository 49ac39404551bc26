# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Text to CLIP token ids, offline."""

import gzip
import json
import tempfile
from functools import lru_cache
from pathlib import Path

from mmseg.utils.tokenizer import bytes_to_unicode, default_bpe
from transformers import (  # type: ignore[attr-defined]  # some names are made on access
    AutoTokenizer,
    CLIPTokenizerFast,
    PreTrainedTokenizerBase,
)

_NUM_MERGES = 49152 - 256 - 2  # vocabulary size of CLIP's paper less bytes and special tokens


@lru_cache
def load_tokenizer(folder: str | None = None) -> PreTrainedTokenizerBase:
    """A tokenizer, made once in each process.

    Args:
        folder: Local folder of a transformers tokenizer. None is CLIP's, made from the
            vocabulary that mmseg ships: start 49406, end and padding 49407.

    Raises:
        FileNotFoundError: No such folder. Nothing is looked for on the network.
    """
    if folder is None:
        return _clip_tokenizer()
    if not Path(folder).is_dir():
        raise FileNotFoundError(f'tokenizer must be a local folder, got {folder!r}')
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


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
        return CLIPTokenizerFast.from_pretrained(folder, local_files_only=True)
