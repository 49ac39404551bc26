# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefCOCO, RefCOCO+, RefCOCOg and whatever else is kept in the REFER layout."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS

from .refer_files import load_instances, load_refs

SENTENCE_KEYS = ('sent', 'raw')


@DATASETS.register_module()
class RefCOCODataset(BaseDataset):
    """Sentences and the objects they mean, from files in the REFER layout.

    Reads ``<data_root>/<dataset>/instances.json`` and
    ``<data_root>/<dataset>/refs(<split_by>).p`` (Kazemzadeh et al., ReferItGame, EMNLP 2014;
    Yu et al., Modeling Context in Referring Expressions, ECCV 2016). Image files are those that
    ``instances.json`` names.

    In training there is one entry for each ref, with all of its ``sentences`` (list[str]) and
    ``sent_ids`` (list[int]). In test mode there is one for each sentence, with its ``text``
    (str) and ``sent_id`` (int). Every entry also has ``img_path``, ``height`` and ``width`` of
    the image record, ``segmentation`` (list of polygons or RLE), ``ref_id``, ``ann_id``.

    Args:
        data_root: Folder of the dataset folder and of the images.
        dataset: Name of the annotation folder: 'refcoco', 'refcoco+', 'refcocog', ...
        split_by: Whose split: 'unc', 'umd', 'google', ...
        split: 'train', 'val', 'testA', ...
        img_dir: Folder of the images, relative to ``data_root`` or absolute.
        pipeline: Transforms.
        test_mode: One entry for each sentence.
        sentence_key: 'sent', the cleaned sentence, or 'raw', the sentence as it was typed.
        permute_sentences: A seed makes the control that shows whether a model reads the
            sentence: in each image the sentences stay, and each object's go to another object.
            Whoever reads then finds the wrong mask, whoever looks at the image alone does no
            worse than before. Images with a single object to refer to are left out.
        indices, lazy_init: As in :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: A file or the image folder is missing.
        ValueError: An unknown split (the message lists those present), a damaged file, an empty
            sentence, no mask, or an image size that is not positive.
        KeyError: A ref whose annotation or image record is missing.
    """

    METAINFO = dict(classes=('background', 'object'), palette=[[0, 0, 0], [230, 159, 0]])

    def __init__(
        self,
        data_root: str,
        dataset: str,
        split_by: str,
        split: str,
        img_dir: str,
        pipeline: Sequence[dict | Callable] = (),
        *,
        test_mode: bool = False,
        sentence_key: str = 'sent',
        permute_sentences: int | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ):
        if sentence_key not in SENTENCE_KEYS:
            raise ValueError(f'sentence_key must be one of {SENTENCE_KEYS}, got {sentence_key!r}')
        self.folder = Path(data_root) / dataset
        self.split_by = split_by
        self.split = split
        self.sentence_key = sentence_key
        self.permute_sentences = permute_sentences
        super().__init__(
            data_root=str(data_root),
            data_prefix=dict(img_path=str(img_dir)),
            pipeline=list(pipeline),
            test_mode=test_mode,
            indices=indices,
            lazy_init=lazy_init,
        )

    def load_data_list(self) -> list[dict]:
        """Read the files -> the entries described above."""
        img_dir = Path(self.data_prefix['img_path'])
        if not img_dir.is_dir():
            raise FileNotFoundError(f'no image folder {img_dir} (data_root and img_dir)')
        refs_path = self.folder / f'refs({self.split_by}).p'
        all_refs = load_refs(refs_path)
        refs = [ref for ref in all_refs if ref['split'] == self.split]
        if not refs:
            present = sorted({ref['split'] for ref in all_refs})
            raise ValueError(f'split must be one of {present} in {refs_path}, got {self.split!r}')
        images, annotations = load_instances(self.folder / 'instances.json')
        entries = [self._entry(ref, images, annotations, img_dir) for ref in refs]
        if self.permute_sentences is not None:
            entries = permute_objects(entries, self.permute_sentences)
        return (
            [e for entry in entries for e in split_sentences(entry)] if self.test_mode else entries
        )

    def _entry(self, ref: dict, images: dict, annotations: dict, img_dir: Path) -> dict:
        name = f'ref {ref["ref_id"]} of {self.folder}'
        if ref['ann_id'] not in annotations:
            raise KeyError(f'{name}: no annotation {ref["ann_id"]} in instances.json')
        if ref['image_id'] not in images:
            raise KeyError(f'{name}: no image {ref["image_id"]} in instances.json')
        image, annotation = images[ref['image_id']], annotations[ref['ann_id']]
        height, width = image['height'], image['width']
        if height < 1 or width < 1:
            raise ValueError(f'{name}: image {image["id"]} has size {width}x{height}')
        if not annotation['segmentation']:
            raise ValueError(f'{name}: annotation {annotation["id"]} has no mask')
        sentences = [sentence[self.sentence_key].strip() for sentence in ref['sentences']]
        if not sentences or not all(sentences):
            raise ValueError(f'{name}: empty sentence among {sentences}')
        return dict(
            # refs carry a file name too, but with the annotation's number in it
            img_path=str(img_dir / image['file_name']),
            height=int(height),
            width=int(width),
            segmentation=annotation['segmentation'],
            ref_id=int(ref['ref_id']),
            ann_id=int(ref['ann_id']),
            sentences=sentences,
            sent_ids=[int(sentence['sent_id']) for sentence in ref['sentences']],
        )


def split_sentences(entry: dict) -> list[dict]:
    """One entry with many sentences -> one entry for each of them."""
    common = {k: v for k, v in entry.items() if k not in ('sentences', 'sent_ids')}
    return [
        dict(common, text=text, sent_id=sent_id)
        for text, sent_id in zip(entry['sentences'], entry['sent_ids'])
    ]


def permute_objects(entries: list[dict], seed: int) -> list[dict]:
    """Give each ref the mask of another object of its image; lone objects are left out.

    The objects of an image are put in a random order and each takes its successor's place, so
    none keeps its own and none is used twice.
    """
    rng = np.random.default_rng(seed)
    masks_by_image: dict[str, dict] = {}
    for entry in entries:
        masks = masks_by_image.setdefault(entry['img_path'], {})
        masks[entry['ann_id']] = entry['segmentation']
    successors = {}
    for path, masks in masks_by_image.items():
        order = rng.permutation(list(masks)).tolist()
        successors[path] = dict(zip(order, order[1:] + order[:1]))
    permuted = []
    for entry in entries:
        path = entry['img_path']
        ann_id = successors[path][entry['ann_id']]
        if ann_id != entry['ann_id']:
            permuted.append(dict(entry, ann_id=ann_id, segmentation=masks_by_image[path][ann_id]))
    return permuted
