# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Text to token ids: CLIP's offline, and those of transformers' tokenizers."""

import gzip
import json
import re
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from mmseg.utils.tokenizer import bytes_to_unicode, default_bpe
from tokenizers import Regex, normalizers
from transformers import (  # type: ignore[attr-defined]  # some names are made on access
    AutoTokenizer,
    BertTokenizerFast,
    CLIPTokenizerFast,
    PreTrainedTokenizerBase,
)

# what ftfy, by which CLIP's own tokenizer mends texts, takes for quotes
_QUOTES = (('[\u02bc\u2018-\u201b]', "'"), ('[\u201c-\u201f]', '"'))
# 'bert-base-uncased', 'openai/clip-vit-large-patch14'
_HUB_NAME = re.compile(r'[\w-][\w.-]*(/[\w-][\w.-]*)?')
_BERT_SPECIAL = ('[PAD]', '[UNK]', '[CLS]', '[SEP]')
_NUM_MERGES = 49152 - 256 - 2  # vocabulary size of CLIP's paper less bytes and special tokens


@lru_cache
def load_tokenizer(source: str | None = None) -> PreTrainedTokenizerBase:
    """A tokenizer, made once in each process.

    It reads special tokens in a text ("<|endoftext|>", "[SEP]") as the characters that they are
    written in.

    Args:
        source: None is CLIP's, made from the vocabulary that mmseg ships: start 49406, end and
            padding 49407. It reads curly quotes and apostrophes as straight ones, as CLIP's own
            does. Else a local folder of a transformers tokenizer; a vocabulary file of BERT's
            WordPiece (``vocab.txt``, a token a line), which reads lower-cased text without
            accents, as bert-base-uncased does; or a name on transformers' hub, fetched when first
            asked for.

    Raises:
        FileNotFoundError: No such folder or file, nor, by its form, a name on the hub.
        OSError: A name that cannot be fetched.
        ValueError: A file that is no vocabulary of BERT's.
    """
    if source is None:
        return _clip_tokenizer()
    path = Path(source)
    if path.is_file():
        tokenizer = _wordpiece_tokenizer(path)
    elif path.is_dir():
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    elif _HUB_NAME.fullmatch(source):
        tokenizer = _fetched_tokenizer(source)
    else:
        raise FileNotFoundError(
            f'tokenizer must be a local folder, a vocabulary file or a name on the hub, got '
            f'{source!r}, which is none of them'
        )
    tokenizer.split_special_tokens = True
    return tokenizer


def save_for_clients(
    tokenizer: PreTrainedTokenizerBase, path: str | Path, max_tokens: int, *, keep_end: bool = True
) -> None:
    """Write a tokenizer as JSON that the ``tokenizers`` package reads.

    The first T of ``encode(text).ids`` then are what :func:`load_tokenizer`'s makes of a text,
    padded and cut.

    Args:
        tokenizer: with a backend of the ``tokenizers`` package.
        path: file to write.
        max_tokens: T, tokens of each sentence.
        keep_end: whether a sentence that is cut keeps its end token; else the client cuts it.
    """
    # calling it once sets length and side of padding and truncation in the backend
    tokenizer('a', padding='max_length', truncation=keep_end, max_length=max_tokens, verbose=False)
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content['added_tokens'] = []  # they would be looked for in texts
    Path(path).write_text(json.dumps(content, ensure_ascii=False), encoding='utf-8')


def _wordpiece_tokenizer(path: Path) -> PreTrainedTokenizerBase:
    tokens = path.read_text(encoding='utf-8').splitlines()
    if missing := [token for token in _BERT_SPECIAL if token not in tokens]:
        raise ValueError(
            f"tokenizer {str(path)!r} is no vocabulary of BERT's WordPiece: it lacks {missing}"
        )
    # a folder, because the constructor's arguments differ between transformers 4 and 5
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(path, Path(folder) / 'vocab.txt')
        return BertTokenizerFast.from_pretrained(folder, local_files_only=True, do_lower_case=True)


def _fetched_tokenizer(name: str) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(name)
    except OSError as error:
        raise OSError(
            f'tokenizer {name!r} is no local folder or file, and could not be fetched from the '
            f'hub. Without a network give the path of a folder that has it, or of its vocab.txt'
        ) from error


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
