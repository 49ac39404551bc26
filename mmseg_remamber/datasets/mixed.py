# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Several training sets as one, without the images that any of them is evaluated on."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mmengine.dataset import Compose, ConcatDataset
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from .origin import join_origins, origin_of
from .refcoco import RefCOCODataset

_COCO_NAME = re.compile(r'(?:COCO_[a-z]+\d{4}_)?(\d{12})')


@DATASETS.register_module()
class MixedRefDataset(ConcatDataset):
    """Joins training sets, and leaves out every image that a val or test split of any of them has.

    RefCOCO, RefCOCO+ and RefCOCOg take their images from COCO's train2014 and split them each in
    its own way: what one trains on may be in another's test split. Images are told apart by
    :func:`image_key`. How much was removed from each member is logged, and kept in ``removed``:
    one dict for each member, with ``images`` and ``refs`` (int).

    Args:
        datasets: The members: :class:`RefCOCODataset` (or a subclass), or their configs, each of
            split 'train'.

    Raises:
        ValueError: No member, a member of another split or in test mode, or one of which nothing
            is left.
        TypeError: A member that is not a :class:`RefCOCODataset`.
    """

    def __init__(self, datasets: Sequence[RefCOCODataset | dict]):
        if not datasets:
            raise ValueError('datasets must have a member, got none')
        self.removed: list[dict[str, int]] = []
        # ConcatDataset would look configs up in mmengine's registry, whatever the scope
        members = [DATASETS.build(d) if isinstance(d, dict) else d for d in datasets]
        super().__init__(members, ignore_keys='origin')
        origins = [origin_of(member.metainfo['origin']) for member in self.datasets]
        self._metainfo['origin'] = join_origins(origins).to_dict()

    @property
    def pipeline(self) -> Compose:
        """The steps that every member's entries go through. Setting it sets each member's.

        Raises:
            AttributeError: On reading, when the members have pipelines of their own.
        """
        first, *others = (member.pipeline for member in self.datasets)
        if any(pipeline is not first for pipeline in others):
            raise AttributeError(
                'the members have pipelines of their own: read datasets[0].pipeline and so on'
            )
        return first

    @pipeline.setter
    def pipeline(self, pipeline: Compose) -> None:
        for member in self.datasets:
            member.pipeline = pipeline

    def full_init(self):
        """Read every member, then take the held-out images out of each."""
        if self._fully_initialized:
            return
        for member in self.datasets:
            if not isinstance(member, RefCOCODataset):
                raise TypeError(f'datasets must be RefCOCODataset, got {type(member).__name__}')
            if member.split != 'train' or member.test_mode:
                raise ValueError(
                    f"datasets must be of split 'train' and not in test mode, got {member.folder} "
                    f'with split {member.split!r}, test_mode {member.test_mode}'
                )
            member.full_init()
        held_out = {image_key(p) for member in self.datasets for p in member.held_out_images}
        self.removed = [_remove(member, held_out) for member in self.datasets]
        super().full_init()


def image_key(path: str) -> str:
    """Give what tells an image from all others, in whatever folder it lies.

    COCO's images are known by their number, which is the same in every release:

    >>> image_key('a/COCO_train2014_000000581857.jpg'), image_key('b/000000581857.jpg')
    ('coco 581857', 'coco 581857')

    Every other image is known by the path of its file, links followed.
    """
    coco = _COCO_NAME.fullmatch(Path(path).stem)
    return f'coco {int(coco[1])}' if coco else os.path.realpath(path)


def _remove(member: RefCOCODataset, held_out: set[str]) -> dict[str, int]:
    keys: dict[str, str] = {}  # a path's key is looked up once, not once a ref
    kept, removed_images = [], set()
    for number in range(len(member)):
        path = member.get_data_info(number)['img_path']
        if path not in keys:
            keys[path] = image_key(path)
        if keys[path] in held_out:
            removed_images.add(path)
        else:
            kept.append(number)
    removed = dict(images=len(removed_images), refs=len(member) - len(kept))
    print_log(
        f'{member.folder}({member.split_by}): removed {removed["images"]} of {len(keys)} training '
        f'images ({removed["refs"]} of {len(member)} refs) that a val or test split has',
        'current',
    )
    if not kept:
        raise ValueError(f'{member.folder}({member.split_by}): no training image is left')
    if removed['refs']:
        member.get_subset_(kept)
    return removed
