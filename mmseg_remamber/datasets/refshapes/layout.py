# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefShapes on disk, in the REFER layout that RefCOCO has."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from .language import expressions_for
from .scenes import SEEN, SHAPES, UNSEEN, draw_scene

# split -> (colour, shape) pairs of its objects, pairs that its refs are limited to
SPLITS = {
    'train': (SEEN, SEEN),
    'val': (SEEN, SEEN),
    'test': (SEEN, SEEN),
    'testC': (SEEN + UNSEEN, UNSEEN),
}
_REFS_PER_SCENE = 3
_SENTENCES_PER_REF = 3


def write_refshapes(
    root: str | Path,
    sizes: dict[str, int],
    *,
    size: int = 128,
    seed: int = 0,
    max_objects: int = 6,
):
    """Write the dataset; the same arguments give the same bytes.

    A scene depends on the seed, the split and its number in the split alone: asking for more
    scenes leaves the earlier ones as they are.

    Args:
        root: Folder to write to. Gets ``images/*.jpg``, ``refshapes/instances.json`` and
            ``refshapes/refs(synthetic).p``, with the fields of RefCOCO's files. Each
            annotation also has ``attributes``: its shape, colour and texture.
        sizes: Number of scenes of each split, of ``SPLITS``.
        size: Image side in pixels, at least 64.
        seed: Not negative.
        max_objects: Most objects in a scene, at least the 3 that every scene has.

    Returns:
        dict: For each split the number of scenes, refs and sentences written.

    Raises:
        ValueError: A split that is none of ``SPLITS``, or a negative number.
        FileExistsError: ``root`` already holds a RefShapes dataset.
    """
    unknown = set(sizes) - set(SPLITS)
    if unknown:
        raise ValueError(f'sizes: splits must be among {list(SPLITS)}, got {sorted(unknown)}')
    if seed < 0 or any(count < 0 for count in sizes.values()):
        raise ValueError(f'seed and sizes must not be negative, got seed={seed}, sizes={sizes}')
    if max_objects < 3:
        raise ValueError(f'max_objects must be at least 3, got {max_objects}')
    root = Path(root)
    folder, image_folder = root / 'refshapes', root / 'images'
    if folder.exists():
        raise FileExistsError(f'{folder} exists; remove it, or write to another folder')
    image_folder.mkdir(parents=True, exist_ok=True)

    book = _Book()
    counts = {}
    for split, scenes in sizes.items():
        before = book.counts()
        for number in range(scenes):
            rng = np.random.default_rng([seed, list(SPLITS).index(split), number])
            scene, sentences = _describable_scene(rng, size, split, max_objects)
            name = f'refshapes_{split}_{number:06d}.jpg'
            path = image_folder / name
            if not cv2.imwrite(str(path), scene.image, [cv2.IMWRITE_JPEG_QUALITY, 95]):
                raise OSError(f'could not write {path}')
            book.enter(scene, sentences, name, split)
        counts[split] = {k: v - before[k] for k, v in book.counts().items()}
    # the folder that marks a complete dataset comes last
    folder.mkdir()
    (folder / 'instances.json').write_text(json.dumps(book.instances))
    (folder / 'refs(synthetic).p').write_bytes(pickle.dumps(book.refs, protocol=4))
    return counts


def _describable_scene(rng, size, split, max_objects):
    """-> a scene, and {object index: at least two sentences} for some of its objects."""
    pairs, referable = SPLITS[split]
    while True:
        scene = draw_scene(rng, size, pairs, lead=referable, max_objects=max_objects)
        sentences = {}
        for index in rng.permutation(len(scene.objects)).tolist():
            obj = scene.objects[index]
            if (obj.colour, obj.shape) in referable:
                found = expressions_for(rng, scene.objects, index, _SENTENCES_PER_REF)
                if len(found) > 1:
                    sentences[index] = found
            if len(sentences) == _REFS_PER_SCENE:
                break
        if sentences:
            return scene, sentences


class _Book:
    """Collects the records of instances.json and of the refs file, numbered from 1."""

    def __init__(self):
        self.instances = {
            'info': {'description': 'RefShapes, a synthetic dataset in the REFER layout'},
            'images': [],
            'annotations': [],
            'licenses': [],
            'categories': [
                {'id': i, 'name': name, 'supercategory': 'shape'}
                for i, name in enumerate(SHAPES, start=1)
            ],
        }
        self.refs = []
        self.num_sentences = 0

    def counts(self):
        return {
            'scenes': len(self.instances['images']),
            'refs': len(self.refs),
            'sentences': self.num_sentences,
        }

    def enter(self, scene, sentences, name, split):
        image_id = len(self.instances['images']) + 1
        height, width = scene.image.shape[:2]
        self.instances['images'].append(
            {'id': image_id, 'file_name': name, 'height': height, 'width': width}
        )
        for index, obj in enumerate(scene.objects):
            annotation = self._annotation(obj, image_id)
            self.instances['annotations'].append(annotation)
            if index in sentences:
                self._ref(sentences[index], annotation, name, split)

    def _annotation(self, obj, image_id):
        box = coco_mask.toBbox(coco_mask.encode(np.asfortranarray(obj.mask)))
        return {
            'id': len(self.instances['annotations']) + 1,
            'image_id': image_id,
            'category_id': SHAPES.index(obj.shape) + 1,
            'segmentation': obj.segmentation,
            'area': int(obj.mask.sum()),
            'bbox': box.tolist(),
            'iscrowd': 0,
            'attributes': {'shape': obj.shape, 'colour': obj.colour, 'texture': obj.texture},
        }

    def _ref(self, texts, annotation, name, split):
        sent_ids = list(range(self.num_sentences + 1, self.num_sentences + 1 + len(texts)))
        self.num_sentences += len(texts)
        stem, suffix = name.rsplit('.', 1)
        self.refs.append(
            {
                'ref_id': len(self.refs) + 1,
                'ann_id': annotation['id'],
                'image_id': annotation['image_id'],
                'category_id': annotation['category_id'],
                'file_name': f'{stem}_{annotation["id"]}.{suffix}',
                'split': split,
                'sent_ids': sent_ids,
                'sentences': [
                    {'sent_id': sent_id, 'sent': text, 'raw': text, 'tokens': text.split()}
                    for sent_id, text in zip(sent_ids, texts)
                ],
            }
        )
