# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The dataset in the REFER layout: written, and read again as training reads it."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from mmseg_remamber.datasets.masks import decode_mask
from mmseg_remamber.datasets.refcoco import RefCOCODataset
from mmseg_remamber.datasets.refer.reader import save_refs
from mmseg_remamber.datasets.transforms.loading import LoadRefImage, LoadRefMask

from .objects import MarkedPicture, names_of
from .sentences import Sentences
from .shapes import encode

SPLIT_BY = 'own'
IMG_DIR = 'images'


def write_dataset(
    root: Path,
    dataset: str,
    pictures: Mapping[str, MarkedPicture],
    sentences: Sentences,
    splits: Mapping[str, str],
    *,
    description: str,
    link: bool,
) -> dict[str, dict[str, int]]:
    """Write the pictures that have a sentence, all of their objects, and the sentences.

    Args:
        root: Folder to write to, which is there.
        dataset: Name of the annotation folder in it.
        pictures: Marked pictures by name.
        sentences: By name and index of the object.
        splits: Split by name of the picture.
        description: Goes into ``instances.json``.
        link: Link pictures in place of copying them.

    Returns:
        Split -> numbers of its ``pictures``, ``objects`` with a sentence, and ``sentences``.

    Raises:
        OSError: A file cannot be written.
        ValueError: Two pictures would be written to one file.
    """
    names = sorted({name for name, _ in sentences})
    written = Counter(pictures[name].picture.written_name for name in names)
    for name, times in written.items():
        if times > 1:
            raise ValueError(f'two pictures would be written to {name}: rename one')
    labels = sorted({item.label for name in names for item in pictures[name].objects})
    category_ids = {label: number for number, label in enumerate(labels, start=1)}
    images, annotations, refs = [], [], []
    counts: dict[str, dict[str, int]] = {}
    num_sentences = 0
    for image_id, name in enumerate(names, start=1):
        marked = pictures[name]
        picture = marked.picture
        picture.write(root / IMG_DIR, link=link)
        width, height = picture.upright_size
        images.append(dict(id=image_id, file_name=picture.written_name, width=width, height=height))
        count = counts.setdefault(splits[name], dict(pictures=0, objects=0, sentences=0))
        count['pictures'] += 1
        for index, (item, called) in enumerate(zip(marked.objects, names_of(marked.objects))):
            if item.segmentation is None:
                continue
            mask = decode_mask(item.segmentation, height, width)
            annotation = dict(
                id=len(annotations) + 1,
                image_id=image_id,
                category_id=category_ids[item.label],
                segmentation=item.segmentation,
                area=int(mask.sum()),
                bbox=coco_mask.toBbox(encode(mask)).tolist(),
                iscrowd=int(item.crowd),
                called=called,
            )
            annotations.append(annotation)
            said = sentences.get((name, index))
            if not said:
                continue
            count['objects'] += 1
            count['sentences'] += len(said)
            refs.append(_ref(len(refs) + 1, annotation, splits[name], said, num_sentences))
            num_sentences += len(said)
    instances = dict(
        info=dict(description=description),
        licenses=[],
        images=images,
        annotations=annotations,
        categories=[
            dict(id=number, name=label, supercategory='') for label, number in category_ids.items()
        ],
    )
    folder = root / dataset
    folder.mkdir()
    text = json.dumps(instances, ensure_ascii=False)
    (folder / 'instances.json').write_text(text, encoding='utf-8')
    save_refs(refs, folder / f'refs({SPLIT_BY}).json')
    return counts


def check_dataset(
    root: Path,
    dataset: str,
    pictures: Mapping[str, MarkedPicture],
    sentences: Sentences,
    splits: Mapping[str, str],
) -> None:
    """Read a written dataset as training does, and compare it with what was to be written.

    Args:
        root, dataset, pictures, sentences, splits: As :func:`write_dataset` took them.

    Raises:
        RuntimeError: Something differs, or cannot be read.
    """
    expected = {}
    for (name, index), said in sentences.items():
        picture = pictures[name].picture
        segmentation = pictures[name].objects[index].segmentation
        mask = decode_mask(segmentation, *picture.upright_size[::-1])
        path = str(root / IMG_DIR / picture.written_name)
        key = (path, tuple(' '.join(text.split()) for text in said), splits[name])
        expected.setdefault(key, []).append(mask)
    load_image, load_mask = LoadRefImage(), LoadRefMask()
    seen: set[str] = set()
    with tempfile.TemporaryDirectory() as cache:
        for split in sorted(set(splits.values())):
            try:
                entries = RefCOCODataset(
                    str(root), dataset, SPLIT_BY, split, IMG_DIR, cache_dir=cache
                )
                for entry in (entries.get_data_info(i) for i in range(len(entries))):
                    if entry['img_path'] not in seen:  # the pixels once a picture
                        load_image.transform(dict(entry))
                        seen.add(entry['img_path'])
                    mask = load_mask.transform(dict(entry))['gt_seg_map']
                    key = (entry['img_path'], tuple(entry['sentences']), split)
                    _take(expected, key, mask)
            except (LookupError, OSError, ValueError) as error:
                raise RuntimeError(f'{dataset}, {split}: written, and wrong: {error}') from error
    if expected:
        raise RuntimeError(f'{dataset}: {len(expected)} objects were not written')


def _take(expected: dict, key: tuple, mask: np.ndarray) -> None:
    """Strike one of the expected masks of a key out.

    Raises:
        LookupError: There is none like it.
    """
    masks = expected.get(key, [])
    for position, known in enumerate(masks):
        if np.array_equal(known, mask):
            del masks[position]
            if not masks:
                del expected[key]
            return
    raise LookupError(f'another mask or other sentences than those of {key[:2]}')


def _ref(ref_id: int, annotation: dict, split: str, said: list[str], first_id: int) -> dict:
    clean = [' '.join(text.split()) for text in said]
    ids = list(range(first_id, first_id + len(said)))
    return dict(
        ref_id=ref_id,
        ann_id=annotation['id'],
        image_id=annotation['image_id'],
        category_id=annotation['category_id'],
        split=split,
        sent_ids=ids,
        sentences=[
            dict(sent_id=number, sent=sent, raw=raw, tokens=sent.split())
            for number, sent, raw in zip(ids, clean, said)
        ],
    )
