# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks what a ref must be before anything is trained or measured on it."""

import re
from reprlib import repr as show  # short, however large the value

from mmseg_remamber.datasets.masks import InvalidMask, check_mask

from .reader import ID_TYPES

_SPLIT = re.compile(r'train|val|test[A-Z]*')


class InvalidRef(ValueError):
    """A ref that cannot be used.

    Attributes:
        reason: The kind of problem, the same for every ref that has it; refs are counted by it.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f'{reason}: {detail}')
        self.reason = reason


class RefChecker:
    """Turns refs into records, one after another, or says what is wrong with them.

    A record is a dict of ``ref_id`` (int), ``split`` (str), ``file_name`` (str), ``height`` and
    ``width`` (int), ``sentences`` (list[str]), ``sent_ids`` (list[int]), and

    - of one target: ``ann_id`` (int or str), ``segmentation`` (list of polygons, or RLE),
    - of several: ``ann_id`` (list[int]), ``segmentations`` (list of those), ``no_target`` (bool).

    Args:
        images, annotations: Records of ``instances.json``, each by id.
        sentence_key: 'sent' or 'raw'.
        several_targets: Whether ``ann_id`` of a ref is a list, as in gRefCOCO.
    """

    def __init__(
        self,
        images: dict[int | str, dict],
        annotations: dict[int | str, dict],
        *,
        sentence_key: str = 'sent',
        several_targets: bool = False,
    ):
        self.images = images
        self.annotations = annotations
        self.sentence_key = sentence_key
        self.several_targets = several_targets
        self._ref_ids: set[int] = set()
        self._sent_ids: set[int] = set()

    def __call__(self, ref: dict) -> dict:
        """Check one ref and turn it into a record.

        Raises:
            InvalidRef: Says why it cannot be used.
        """
        ref_id = _integer(ref, 'ref_id')
        if ref_id in self._ref_ids:
            raise InvalidRef('duplicate ref_id', f'{ref_id} is that of an earlier ref')
        split = ref.get('split')
        if type(split) is not str or not _SPLIT.fullmatch(split):
            raise InvalidRef(
                'unknown split', f'train, val, test, testA, ... expected, got {show(split)}'
            )
        image = self._image(ref)
        if self.several_targets:
            targets = self._several_targets(ref, image)
        else:
            ann_id = _identifier(ref, 'ann_id')
            targets = dict(ann_id=ann_id, segmentation=self._segmentation(ann_id, image))
        sentences, sent_ids = self._sentences(ref)
        # an id is taken only by a ref that is used
        self._ref_ids.add(ref_id)
        self._sent_ids.update(sent_ids)
        return dict(
            ref_id=ref_id,
            split=split,
            # refs carry a file name too, but with the annotation's number in it
            file_name=image['file_name'],
            height=image['height'],
            width=image['width'],
            **targets,
            sentences=sentences,
            sent_ids=sent_ids,
        )

    def _image(self, ref: dict) -> dict:
        image_id = _identifier(ref, 'image_id')
        image = self.images.get(image_id)
        if image is None:
            raise InvalidRef('no image record', f'no image {image_id} in instances.json')
        size = image.get('width'), image.get('height')
        if not all(type(side) is int and side > 0 for side in size):
            raise InvalidRef(
                'image size', f'image {image_id} has size {show(size[0])}x{show(size[1])}'
            )
        name = image.get('file_name')
        if type(name) is not str or not name:
            raise InvalidRef('image file name', f'image {image_id} has file_name {show(name)}')
        return image

    def _segmentation(self, ann_id: int | str, image: dict) -> list | dict:
        annotation = self.annotations.get(ann_id)
        if annotation is None:
            raise InvalidRef('no annotation', f'no annotation {ann_id} in instances.json')
        if annotation.get('image_id') != image['id']:
            raise InvalidRef(
                'annotation of another image',
                f'annotation {ann_id} is on image {show(annotation.get("image_id"))}, '
                f'the ref on {image["id"]}',
            )
        segmentation, size = annotation.get('segmentation'), (image['height'], image['width'])
        try:
            return check_mask(segmentation, *size, f'annotation {ann_id}')
        except InvalidMask as e:
            raise InvalidRef(e.reason, e.detail) from e

    def _several_targets(self, ref: dict, image: dict) -> dict:
        ann_ids = ref.get('ann_id')
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
        return dict(
            ann_id=ann_ids,
            segmentations=[self._segmentation(ann_id, image) for ann_id in ann_ids],
            no_target=no_target,
        )

    def _sentences(self, ref: dict) -> tuple[list[str], list[int]]:
        records = ref.get('sentences')
        if type(records) is not list or not all(type(record) is dict for record in records):
            raise InvalidRef('wrong type', f'sentences must be dicts, got {show(records)}')
        sentences, sent_ids = [], []
        for record in records:
            sent_id, sentence = _integer(record, 'sent_id'), record.get(self.sentence_key)
            if type(sentence) is not str:
                raise InvalidRef(
                    'wrong type', f'{self.sentence_key} of sentence {sent_id} is {show(sentence)}'
                )
            if sent_id in self._sent_ids or sent_id in sent_ids:
                raise InvalidRef('duplicate sent_id', f'{sent_id} is that of an earlier sentence')
            sentences.append(sentence.strip())
            sent_ids.append(sent_id)
        if not sentences or not all(sentences):
            raise InvalidRef('empty sentence', f'among {show(sentences)}')
        return sentences, sent_ids


def _identifier(record: dict, key: str) -> int | str:
    """Check an id: an int, or a str, as RefCLEF's annotations have it ('8756_2')."""
    value = record.get(key)
    if type(value) not in ID_TYPES:
        raise InvalidRef('wrong type', f'{key} must be an int or a str, got {show(value)}')
    return value


def _integer(record: dict, key: str) -> int:
    value = record.get(key)
    if type(value) is not int:
        raise InvalidRef('wrong type', f'{key} must be an int, got {show(value)}')
    return value
