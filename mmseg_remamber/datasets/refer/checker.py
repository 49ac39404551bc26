# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks what a ref must be before anything is trained or measured on it."""

from collections.abc import Mapping
from reprlib import repr as show  # short, however large the value
from typing import Any

from mmseg_remamber.datasets.masks import InvalidMask, check_mask

from .fields import InvalidRef, field_of, read_fields
from .rules import REFER, RefRules


class RefChecker:
    """Turns refs into records, one after another, or says what is wrong with them.

    A record is a dict of ``ref_id`` (int), ``split`` (str), ``file_name`` (str), ``height`` and
    ``width`` (int), ``sentences`` (list[str]), ``sent_ids`` (list[int]), and

    - of one target: ``ann_id`` (int or str), ``segmentation`` (list of polygons, or RLE),
    - of several: ``ann_id`` (list[int]), ``segmentations`` (list of those), ``no_target`` (bool).

    Args:
        images, annotations: Records of ``instances.json``, each by id.
        rules: Of the dataset.
        sentence_key: 'sent' or 'raw'.
    """

    def __init__(
        self,
        images: Mapping[int | str, dict],
        annotations: Mapping[int | str, dict],
        rules: RefRules = REFER,
        *,
        sentence_key: str = 'sent',
    ):
        self.images = images
        self.annotations = annotations
        self.rules = rules
        self.sentence_key = sentence_key
        self._ref_ids: set[int] = set()
        self._sent_ids: set[int] = set()

    def __call__(self, ref: Mapping) -> dict:
        """Check one ref and turn it into a record.

        Raises:
            InvalidRef: Says why it cannot be used.
        """
        fields = read_fields(ref, self.rules, sentence_key=self.sentence_key)
        if fields.ref_id in self._ref_ids:
            raise InvalidRef('duplicate ref_id', f'{fields.ref_id} is that of an earlier ref')
        for sent_id in fields.sent_ids:
            if sent_id in self._sent_ids:
                raise InvalidRef('duplicate sent_id', f'{sent_id} is that of an earlier sentence')
        image = find_image(self.images, fields.image_id)
        masks = [self._mask(ann_id, image) for ann_id in fields.ann_ids]
        targets = (
            dict(ann_id=fields.ann_ids, segmentations=masks, no_target=not masks)
            if self.rules.several_targets
            else dict(ann_id=fields.ann_ids[0], segmentation=masks[0])
        )
        # an id is taken only by a ref that is used
        self._ref_ids.add(fields.ref_id)
        self._sent_ids.update(fields.sent_ids)
        return dict(
            ref_id=fields.ref_id,
            split=fields.split,
            # refs carry a file name too, but with the annotation's number in it
            file_name=image['file_name'],
            height=image['height'],
            width=image['width'],
            **targets,
            sentences=fields.sentences,
            sent_ids=fields.sent_ids,
        )

    def _mask(self, ann_id: int | str, image: dict) -> list | dict:
        segmentation = find_segmentation(self.annotations, ann_id, image)
        try:
            return check_mask(segmentation, image['height'], image['width'], f'annotation {ann_id}')
        except InvalidMask as e:
            raise InvalidRef(e.reason, e.detail) from e


def find_image(images: Mapping[int | str, dict], image_id: int | str) -> dict:
    """Look an image's record up, and check it.

    Args:
        images: Records of ``instances.json``, by id.
        image_id: Of which image.

    Returns:
        The record, with ``id``, ``file_name`` (str), ``height`` and ``width`` (int, positive).

    Raises:
        InvalidRef: There is none, or a field of it is missing or makes no sense.
    """
    if image_id not in images:
        raise InvalidRef('no image record', f'no image {image_id} in instances.json')
    image = images[image_id]
    owner = f'image {image_id} of instances.json'
    size = field_of(image, 'width', owner), field_of(image, 'height', owner)
    if not all(type(side) is int and side > 0 for side in size):
        raise InvalidRef('image size', f'{owner} has size {show(size[0])}x{show(size[1])}')
    name = field_of(image, 'file_name', owner)
    if type(name) is not str or not name or '\0' in name:
        raise InvalidRef('image file name', f'{owner} has file_name {show(name)}')
    return image


def find_segmentation(annotations: Mapping[int | str, dict], ann_id: int | str, image: dict) -> Any:
    """Look the mask of an object up, which is not checked yet.

    Args:
        annotations: Records of ``instances.json``, by id.
        ann_id: Of which object.
        image: The record of the image that it lies on, from :func:`find_image`.

    Raises:
        InvalidRef: There is no such annotation, it is on another image, or has no such field.
    """
    if ann_id not in annotations:
        raise InvalidRef('no annotation', f'no annotation {ann_id} in instances.json')
    annotation = annotations[ann_id]
    owner = f'annotation {ann_id} of instances.json'
    image_id = field_of(annotation, 'image_id', owner)
    if image_id != image['id']:
        raise InvalidRef(
            'annotation of another image',
            f'{owner} is on image {show(image_id)}, the ref on {image["id"]}',
        )
    return field_of(annotation, 'segmentation', owner)
