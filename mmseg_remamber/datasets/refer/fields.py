# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks the fields of a ref, as far as that needs no other record."""

import re
from collections.abc import Mapping
from reprlib import repr as show  # short, however large the value
from typing import Any, NamedTuple

from .reader import ID_TYPES
from .rules import RefRules

_SPLIT = re.compile(r'train|val|test[A-Z]*')


class InvalidRef(ValueError):
    """A ref that cannot be used.

    Attributes:
        reason: The kind of problem, the same for every ref that has it; refs are counted by it.
        left_out: Whether the dataset's rules say to leave such refs out. Any other is an error.
    """

    def __init__(self, reason: str, detail: str, *, left_out: bool = False):
        super().__init__(f'{reason}: {detail}')
        self.reason = reason
        self.left_out = left_out


class RefFields(NamedTuple):
    """What a ref says itself.

    Attributes:
        ref_id: Its number.
        split: 'train', 'val', 'test', 'testA', ...
        image_id: The image's number, or name.
        ann_ids: Those of the objects that it means: one, or of any number by the rules.
        sentences: What was said, without space around it; none is empty.
        sent_ids: Of each sentence; no two are the same.
    """

    ref_id: int
    split: str
    image_id: int | str
    ann_ids: list[int | str]
    sentences: list[str]
    sent_ids: list[int]


def read_fields(ref: Mapping, rules: RefRules, *, sentence_key: str = 'sent') -> RefFields:
    """Check that a ref has each field that is read, of the right type.

    Args:
        ref: One entry of a refs file.
        rules: Of its dataset.
        sentence_key: 'sent' or 'raw'.

    Raises:
        InvalidRef: Names the field, and says what is wrong with it.
    """
    # first, since nothing else of such a ref is ever read
    if ref.get('sentences') == []:
        raise InvalidRef(
            'no sentences', 'its list of sentences is empty', left_out=rules.skip_unsaid
        )
    ref_id = _integer(ref, 'ref_id', 'it')
    split = field_of(ref, 'split', 'it')
    if type(split) is not str or not _SPLIT.fullmatch(split):
        raise InvalidRef(
            'unknown split', f'train, val, test, testA, ... expected, got {show(split)}'
        )
    image_id = _identifier(ref, 'image_id', 'it')
    ann_ids = _several(ref) if rules.several_targets else [_identifier(ref, 'ann_id', 'it')]
    return RefFields(ref_id, split, image_id, ann_ids, *_sentences(ref, sentence_key))


def field_of(record: Mapping, key: str, owner: str) -> Any:
    """Give a field of a record, of whatever type.

    Args:
        record: A ref, a sentence, an image or an annotation.
        key: The field's name.
        owner: What the message calls the record.

    Raises:
        InvalidRef: It has no such field.
    """
    if key not in record:
        raise InvalidRef(f'missing {key}', f'{owner} has no field {key!r}')
    return record[key]


def name_ref(ref: Mapping, position: int) -> str:
    """Name a ref for a message: by its ``ref_id``, or by its place in the file without one."""
    return f'ref {show(ref["ref_id"])}' if 'ref_id' in ref else f'the ref at position {position}'


def _several(ref: Mapping) -> list[int | str]:
    ann_ids = field_of(ref, 'ann_id', 'it')
    if type(ann_ids) is int:
        ann_ids = [ann_ids]
    if type(ann_ids) is not list or not all(type(ann_id) is int for ann_id in ann_ids):
        raise InvalidRef('wrong type', f'ann_id must be a list of int, got {show(ann_ids)}')
    if ann_ids == [-1]:  # how gRefCOCO writes "none"
        ann_ids = []
    no_target = ref.get('no_target', not ann_ids)
    if type(no_target) is not bool or no_target != (not ann_ids):
        raise InvalidRef('no_target', f'{show(no_target)} with annotations {show(ann_ids)}')
    if len(set(ann_ids)) < len(ann_ids):
        raise InvalidRef('duplicate ann_id', show(ann_ids))
    return ann_ids


def _sentences(ref: Mapping, sentence_key: str) -> tuple[list[str], list[int]]:
    records = field_of(ref, 'sentences', 'it')
    if type(records) is not list or not all(type(record) is dict for record in records):
        raise InvalidRef('wrong type', f'sentences must be a list of dicts, got {show(records)}')
    sentences: list[str] = []
    sent_ids: list[int] = []
    for position, record in enumerate(records):
        sent_id = _integer(record, 'sent_id', f'its sentence at position {position}')
        sentence = field_of(record, sentence_key, f'its sentence {sent_id}')
        if type(sentence) is not str:
            raise InvalidRef(
                'wrong type', f'{sentence_key} of sentence {sent_id} is {show(sentence)}'
            )
        if sent_id in sent_ids:
            raise InvalidRef('duplicate sent_id', f'{sent_id} is that of an earlier sentence')
        sentences.append(sentence.strip())
        sent_ids.append(sent_id)
    if not all(sentences):
        raise InvalidRef('empty sentence', f'among {show(sentences)}')
    return sentences, sent_ids


def _identifier(record: Mapping, key: str, owner: str) -> int | str:
    """Check an id: an int, or a str, as RefCLEF's annotations have it ('8756_2')."""
    value = field_of(record, key, owner)
    if type(value) not in ID_TYPES:
        raise InvalidRef('wrong type', f'{key} must be an int or a str, got {show(value)}')
    return value


def _integer(record: Mapping, key: str, owner: str) -> int:
    value = field_of(record, key, owner)
    if type(value) is not int:
        raise InvalidRef('wrong type', f'{key} must be an int, got {show(value)}')
    return value
