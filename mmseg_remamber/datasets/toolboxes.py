# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A dataset in the layouts that mmdet, mmsegmentation and mmpretrain read."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from .masks import decode_mask

MARGIN = 0.1  # of a cut-out around its box, of the box's longer side


class Written(NamedTuple):
    """What :func:`write_split` wrote of a split."""

    images: int
    objects: int
    cutouts: int


def categories_of(instances: dict, image_ids: set) -> list[dict]:
    """List the categories that some images have objects of, in the order of the file.

    Args:
        instances: The content of an ``instances.json``, in COCO's format.
        image_ids: Of the images.
    """
    present = {a['category_id'] for a in instances['annotations'] if a['image_id'] in image_ids}
    return [record for record in instances['categories'] if record['id'] in present]


def write_split(
    instances: dict,
    image_ids: set,
    categories: Sequence[dict],
    img_dir: Path,
    out: Path,
    split: str,
    *,
    least_side: int = 16,
) -> Written:
    """Write a split for three tasks.

    - ``images/<split>/``: its images;
    - ``instances_<split>.json``: its objects in COCO's format, crowds included;
    - ``semantic/<split>/*.png``: the class of each pixel, uint8: 0 is the background, i + 1 the
      i-th category, and of objects that overlap the smallest is seen;
    - ``cutouts/<split>/<category>/<annotation id>.png``: each object that is no crowd with a tenth
      around it, in a folder for each class.

    Args:
        instances: The content of an ``instances.json``, in COCO's format.
        image_ids: Of the images of the split.
        categories: The records of those to write; objects of others are left out.
        img_dir: Folder of the images.
        out: Folder to write to.
        split: Its name.
        least_side: Pixels that both sides of a box must have for a cut-out.

    Raises:
        ValueError: More than 254 categories, which a PNG of one byte a pixel cannot tell apart.
        FileNotFoundError: An image is missing.
        InvalidMask: An object's mask cannot be decoded.
    """
    if len(categories) > 254:
        raise ValueError(f'categories must be at most 254, got {len(categories)}')
    number = {record['id']: i for i, record in enumerate(categories, start=1)}
    name = {record['id']: record['name'] for record in categories}
    images = [image for image in instances['images'] if image['id'] in image_ids]
    annotations = [
        a
        for a in instances['annotations']
        if a['image_id'] in image_ids and a['category_id'] in number
    ]
    for folder in (out / 'images' / split, out / 'semantic' / split):
        folder.mkdir(parents=True, exist_ok=True)
    for record in categories:
        (out / 'cutouts' / split / record['name']).mkdir(parents=True, exist_ok=True)
    of_image: dict = {image['id']: [] for image in images}
    for annotation in annotations:
        of_image[annotation['image_id']].append(annotation)
    cutouts = 0
    for image in images:
        file = img_dir / image['file_name']
        if not file.is_file():
            raise FileNotFoundError(f'no image {file}')
        shutil.copy2(file, out / 'images' / split / file.name)
        classes = np.zeros((image['height'], image['width']), np.uint8)
        with Image.open(file) as opened:
            picture = opened.convert('RGB')
        for annotation in sorted(of_image[image['id']], key=lambda a: -a['area']):
            category = annotation['category_id']
            mask = decode_mask(annotation['segmentation'], image['height'], image['width'])
            classes[mask.astype(bool)] = number[category]
            if not annotation.get('iscrowd') and min(annotation['bbox'][2:]) >= least_side:
                path = out / 'cutouts' / split / name[category] / f'{annotation["id"]}.png'
                picture.crop(_around(annotation['bbox'], picture.size)).save(path)
                cutouts += 1
        Image.fromarray(classes).save(out / 'semantic' / split / f'{file.stem}.png')
    records = dict(
        info=instances.get('info', {}),
        licenses=instances.get('licenses', []),
        images=[{**image, 'file_name': Path(image['file_name']).name} for image in images],
        annotations=annotations,
        categories=list(categories),
    )
    (out / f'instances_{split}.json').write_text(json.dumps(records), encoding='utf-8')
    return Written(len(images), len(annotations), cutouts)


def _around(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Corners of a cut-out. box: left, top, width, height; size: width, height of the image."""
    left, top, width, height = box
    margin = MARGIN * max(width, height)
    return (
        max(0, int(left - margin)),
        max(0, int(top - margin)),
        min(size[0], round(left + width + margin)),
        min(size[1], round(top + height + margin)),
    )
