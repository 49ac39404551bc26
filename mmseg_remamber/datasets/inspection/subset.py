# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Makes a smaller dataset out of a larger one."""

from collections.abc import Collection, Sequence

import numpy as np

from .layout import target_ids


def choose_refs(
    refs: Sequence[dict],
    *,
    ref_ids: Collection[int] | None = None,
    num_refs: int | None = None,
    num_images: int | None = None,
    splits: Collection[str] | None = None,
    seed: int = 0,
) -> list[dict]:
    """Choose some of the refs, in their order.

    Exactly one of ``ref_ids``, ``num_refs`` and ``num_images`` is given.

    Args:
        refs: Of all splits.
        ref_ids: Take these.
        num_refs: Take so many of each split at random, all where there are fewer.
        num_images: Take so many images of each split at random, with all of their refs there.
        splits: The splits to take from; None is all.
        seed: Of the random choice, which depends on the ids and not on their order.

    Raises:
        ValueError: Not exactly one of the three, a number under 1, or ids or splits that are not
            there.
    """
    given = [value is not None for value in (ref_ids, num_refs, num_images)]
    if sum(given) != 1:
        raise ValueError('give exactly one of ref_ids, num_refs and num_images')
    present = sorted({ref['split'] for ref in refs})
    if splits is not None:
        unknown = sorted(set(splits) - set(present))
        if unknown:
            raise ValueError(f'splits must be among {present}, got {unknown}')
    chosen_splits = present if splits is None else [split for split in present if split in splits]
    if ref_ids is not None:
        eligible = {ref['ref_id'] for ref in refs if ref['split'] in chosen_splits}
        absent = sorted(set(ref_ids) - eligible)
        if absent:
            raise ValueError(f'ref_ids are not there: {absent[:10]}')
        return [ref for ref in refs if ref['ref_id'] in set(ref_ids)]
    key, number = ('ref_id', num_refs) if num_refs is not None else ('image_id', num_images)
    if number < 1:
        raise ValueError(f'the number to take must be at least 1, got {number}')
    rng = np.random.default_rng(seed)
    chosen = set()
    for split in chosen_splits:
        ids = sorted({ref[key] for ref in refs if ref['split'] == split})
        taken = rng.permutation(len(ids))[:number]
        chosen |= {(split, ids[place]) for place in taken}
    return [ref for ref in refs if (ref['split'], ref[key]) in chosen]


def reduce_instances(instances: dict, refs: Sequence[dict]) -> dict:
    """Keep the images and annotations of an ``instances.json`` that some refs need.

    Args:
        instances: Its content; the result has whatever else it has.
        refs: The refs to keep.

    Raises:
        ValueError: A ref whose image or annotation is not there.
    """
    image_ids = {ref['image_id'] for ref in refs}
    ann_ids = {ann_id for ref in refs for ann_id in target_ids(ref)}
    images = [image for image in instances['images'] if image['id'] in image_ids]
    annotations = [ann for ann in instances['annotations'] if ann['id'] in ann_ids]
    for name, wanted, kept in (
        ('images', image_ids, images),
        ('annotations', ann_ids, annotations),
    ):
        absent = sorted(wanted - {record['id'] for record in kept}, key=str)
        if absent:
            raise ValueError(f'instances.json lacks {name} {absent[:10]}')
    return {**instances, 'images': images, 'annotations': annotations}
