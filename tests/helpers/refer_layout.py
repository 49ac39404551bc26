# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Small datasets in the REFER layout, whose every figure is known."""

import json
import pickle
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 40, 30
BOX = (10, 6)  # width and height of every object: 5 % of the image


def box(x: int, y: int) -> list[float]:
    """Polygon of an object, its corner at x, y."""
    w, h = BOX
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def make_ref(ref_id: int, image_id: int, split: str, *texts: str, ann_id=None) -> dict:
    """A ref of annotation ``ref_id``, unless told otherwise."""
    sentences = [
        dict(sent_id=10 * ref_id + i, sent=text, raw=text, tokens=text.split())
        for i, text in enumerate(texts)
    ]
    return dict(
        ref_id=ref_id,
        ann_id=ref_id if ann_id is None else ann_id,
        image_id=image_id,
        split=split,
        category_id=1,
        file_name=f'{image_id}_{ref_id}.jpg',
        sentences=sentences,
        sent_ids=[sentence['sent_id'] for sentence in sentences],
    )


def write_dataset(
    root: Path, dataset: str, refs_file: str, refs: list[dict], *, segmentations: dict | None = None
) -> Path:
    """Write instances.json, the refs and plain images; returns the dataset's folder.

    An annotation is a box, unless ``segmentations`` has another for its id.
    """
    folder = root / dataset
    folder.mkdir(parents=True)
    image_of = {}
    for ref in refs:
        ids = ref['ann_id'] if isinstance(ref['ann_id'], list) else [ref['ann_id']]
        image_of |= {index: ref['image_id'] for index in ids if index != -1}
    images = [
        dict(id=index, file_name=f'{index}.jpg', width=WIDTH, height=HEIGHT)
        for index in sorted({ref['image_id'] for ref in refs})
    ]
    annotations = [
        dict(id=index, image_id=image, category_id=1, iscrowd=0)
        | {'segmentation': (segmentations or {}).get(index, [box(4, 5)])}
        for index, image in image_of.items()
    ]
    categories = [dict(id=1, name='thing')]
    instances = dict(images=images, annotations=annotations, categories=categories)
    (folder / 'instances.json').write_text(json.dumps(instances))
    if refs_file.endswith('.json'):
        (folder / refs_file).write_text(json.dumps(refs))
    else:
        (folder / refs_file).write_bytes(pickle.dumps(refs, protocol=2))
    img_dir = root / 'images' / 'train2014'
    img_dir.mkdir(parents=True, exist_ok=True)
    for image in images:
        path = img_dir / image['file_name']
        Image.new('RGB', (WIDTH, HEIGHT), (90, 120, 150)).save(path)
    return folder
