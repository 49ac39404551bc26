# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What annotation tools would have written of pictures whose masks are known."""

import base64
import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask


@dataclass
class Thing:
    """An object: its category, its mask (H, W) bool, and what is said of it."""

    label: str
    mask: np.ndarray
    sentences: list[str]


@dataclass
class Photo:
    """A picture (H, W, 3) uint8 RGB, its path in the folder, its split and objects."""

    name: str
    pixels: np.ndarray
    things: list[Thing] = field(default_factory=list)
    split: str = 'train'


def make_photos(*, seed: int = 0, names=('a.png', 'b 1.png', 'sub/ü, x.png', 'd.png')) -> list:
    """Small pictures of odd sizes, each with three objects, two of them of one category."""
    rng = np.random.default_rng(seed)
    photos = []
    for number, name in enumerate(names):
        height, width = 23 + 2 * number, 31 + number
        owner = rng.integers(0, 4, (height, width)).repeat(3, 0)[:height].repeat(3, 1)[:, :width]
        things = [
            Thing(label, owner == i + 1, [f'{label} {i} of picture {number}', f'thing {i}'])
            for i, label in enumerate(('dog', 'red_cat', 'dog'))
        ]
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        photos.append(Photo(name, pixels, things, 'val' if number == 1 else 'train'))
    return photos


def write_pictures(folder: Path, photos) -> Path:
    for photo in photos:
        path = folder / photo.name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.pixels).save(path)
    return folder


def write_rows(path: Path, rows, columns=('picture', 'object', 'sentence', 'split')) -> Path:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def rows_of(photos, call) -> list[list[str]]:
    """Rows of a table: ``call`` names objects, given the picture's number and its own."""
    return [
        [photo.name, call(p, t), sentence, photo.split]
        for p, photo in enumerate(photos)
        for t, thing in enumerate(photo.things)
        for sentence in thing.sentences
    ]


def label_numbers(photos):
    """How LabelMe's and CVAT's objects are called: label and number."""

    def call(p, t):
        label = photos[p].things[t].label
        return f'{label}#{sum(thing.label == label for thing in photos[p].things[: t + 1])}'

    return call


def runs(values) -> list[int]:
    """Lengths of runs, the first of zeros."""
    edges = np.flatnonzero(np.diff(np.asarray(values, np.int8), prepend=0))
    return np.diff([0, *edges, len(values)]).tolist()


def coco_rle(mask, form: str) -> dict:
    size = list(mask.shape)
    if form == 'runs':
        return dict(size=size, counts=runs(mask.T.ravel()))
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(size=size, counts=rle['counts'].decode())


def write_coco(path: Path, photos, *, form: str = 'runs', first_id: int = 100) -> Path:
    """Objects are numbered through from ``first_id``."""
    labels = sorted({thing.label for photo in photos for thing in photo.things})
    images, annotations = [], []
    for number, photo in enumerate(photos, start=1):
        height, width = photo.pixels.shape[:2]
        images.append(dict(id=number, file_name=photo.name, width=width, height=height))
        for thing in photo.things:
            annotations.append(
                dict(
                    id=first_id + len(annotations),
                    image_id=number,
                    category_id=labels.index(thing.label),
                    segmentation=coco_rle(thing.mask, form),
                    iscrowd=0,
                )
            )
    categories = [dict(id=i, name=label) for i, label in enumerate(labels)]
    content = dict(images=images, annotations=annotations, categories=categories)
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


def coco_number(photos, first_id: int = 100):
    """How COCO's objects are called."""
    before = [sum(len(photo.things) for photo in photos[:p]) for p in range(len(photos))]
    return lambda p, t: first_id + before[p] + t


def png(mask) -> str:
    data = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(data, 'PNG')
    return base64.b64encode(data.getvalue()).decode()


def labelme_mask(thing: Thing, **more) -> dict:
    """A shape of LabelMe: both corners lie in the mask."""
    (top, left), (bottom, right) = _corners(thing.mask)
    cut = thing.mask[top : bottom + 1, left : right + 1]
    points = [[left, top], [right, bottom]]
    shape = dict(label=thing.label, shape_type='mask', points=points, mask=png(cut), group_id=None)
    return shape | more


def write_labelme(folder: Path, photos, *, shapes=None) -> Path:
    """A file a picture; ``shapes`` takes the place of the masks of each picture."""
    folder.mkdir(exist_ok=True)
    for number, photo in enumerate(photos):
        height, width = photo.pixels.shape[:2]
        content = dict(
            version='5.5.0',
            flags={},
            shapes=shapes[number] if shapes else [labelme_mask(t) for t in photo.things],
            imagePath=photo.name,
            imageData=None,
            imageHeight=height,
            imageWidth=width,
        )
        text = json.dumps(content, ensure_ascii=False)
        (folder / f'{number}.json').write_text(text, encoding='utf-8')
    return folder


def cvat_mask(thing: Thing) -> str:
    (top, left), (bottom, right) = _corners(thing.mask)
    cut = thing.mask[top : bottom + 1, left : right + 1]
    height, width = cut.shape
    return (
        f'<mask label={quoteattr(thing.label)} source="manual" occluded="0" '
        f'rle="{", ".join(map(str, runs(cut.ravel())))}" left="{left}" top="{top}" '
        f'width="{width}" height="{height}" z_order="0">\n</mask>'
    )


def write_cvat(path: Path, photos, *, shapes=None) -> Path:
    """``shapes`` takes the place of the masks of each picture."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<annotations>', '<version>1.1</version>']
    for number, photo in enumerate(photos):
        height, width = photo.pixels.shape[:2]
        lines.append(
            f'<image id="{number}" name={quoteattr(photo.name)} width="{width}" height="{height}">'
        )
        lines += shapes[number] if shapes else [cvat_mask(thing) for thing in photo.things]
        lines.append('</image>')
    path.write_text('\n'.join([*lines, '</annotations>']), encoding='utf-8')
    return path


def write_mask_files(folder: Path, photos, *, flat: bool = False, value: int = 255) -> Path:
    """Files are named after labels, numbered through."""
    for photo in photos:
        stem = photo.name.rsplit('.', 1)[0]
        for number, thing in enumerate(photo.things):
            name = f'{thing.label}_{number}.png'
            path = folder / (f'{stem}_{name}' if flat else f'{stem}/{name}')
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(thing.mask.astype(np.uint8) * value).save(path)
    return folder


def write_mask_values(folder: Path, photos, *, mode: str = 'L') -> Path:
    """Objects have the values 1, 2, ..., in 16 bits 1000, 2000, ..."""
    for photo in photos:
        values = np.zeros(photo.pixels.shape[:2], np.uint16)
        for number, thing in enumerate(photo.things, start=1):
            values[thing.mask] = number * (1000 if mode == 'I;16' else 1)
        path = folder / (photo.name.rsplit('.', 1)[0] + '.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(values if mode == 'I;16' else values.astype(np.uint8))
        if mode == 'P':
            image.putpalette([value * 7 % 256 for value in range(768)])
        image.save(path)
    return folder


def truth(photos) -> Counter:
    """What a dataset must hold: (picture, split, sentence, mask) of each sentence."""
    return Counter(
        (photo.name, photo.split, sentence, thing.mask.tobytes())
        for photo in photos
        for thing in photo.things
        for sentence in thing.sentences
    )


def read_truth(out: Path) -> Counter:
    """What a dataset does hold, read by pycocotools."""
    folder = out / out.name
    instances = json.loads((folder / 'instances.json').read_text(encoding='utf-8'))
    refs = json.loads((folder / 'refs(own).json').read_text(encoding='utf-8'))
    images = {image['id']: image for image in instances['images']}
    annotations = {annotation['id']: annotation for annotation in instances['annotations']}
    held = Counter()
    for ref in refs:
        image, annotation = images[ref['image_id']], annotations[ref['ann_id']]
        assert annotation['image_id'] == image['id']
        mask = decode(annotation['segmentation'], image['height'], image['width'])
        for sentence in ref['sentences']:
            held[image['file_name'], ref['split'], sentence['raw'], mask.tobytes()] += 1
    return held


def decode(segmentation, height: int, width: int) -> np.ndarray:
    if isinstance(segmentation, list):
        segmentation = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation['counts'], list):
        segmentation = coco_mask.frPyObjects(segmentation, height, width)
    return coco_mask.decode(segmentation).astype(bool)


def _corners(mask) -> tuple[list[int], list[int]]:
    places = np.argwhere(mask)
    return places.min(0).tolist(), places.max(0).tolist()
