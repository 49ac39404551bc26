# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefCOCO, RefCOCO+, RefCOCOg, RefCLEF and whatever else is kept in the REFER layout."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from logging import WARNING
from pathlib import Path

import numpy as np
from mmengine.config import ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from .known import find_origin
from .refer.cache import TEXT_KEYS, CheckedRefs, load_checked_refs
from .refer.reader import find_refs
from .refer.rules import REFER, RefRules

SENTENCE_KEYS = ('sent', 'raw')


@DATASETS.register_module()
class RefCOCODataset(BaseDataset):
    """Sentences and the objects they mean, from files in the REFER layout.

    Reads ``<data_root>/<dataset>/instances.json`` and
    ``<data_root>/<dataset>/refs(<split_by>).p``, or the same content as ``.json`` (Kazemzadeh et
    al., ReferItGame, EMNLP 2014; Yu et al., Modeling Context in Referring Expressions, ECCV
    2016). Image files are those that ``instances.json`` names.

    In training there is one entry for each ref, with all of its ``sentences`` (list[str]) and
    ``sent_ids`` (list[int]). In test mode there is one for each sentence, with its ``text``
    (str) and ``sent_id`` (int). Every entry also has ``img_path``, ``height`` and ``width`` of
    the image record, ``segmentation`` (list of polygons or RLE), ``ref_id``, ``ann_id``.

    Every ref of the file, of whatever split, is checked once (see :class:`.RefChecker`), by the
    rules of the class (``RULES``); the checked refs are kept in ``cache_dir``, by the content of
    both files.

    Args:
        data_root: Folder of the dataset folder and of the images.
        dataset: Name of the annotation folder: 'refcoco', 'refcoco+', 'refcocog', 'refclef', ...
        split_by: Whose split: 'unc', 'umd', 'google', 'berkeley', ...
        split: 'train', 'val', 'test', 'testA', ... A ref of 'testAB' is in both 'testA' and
            'testB', and 'test' is all that has 'test' in its name (see :func:`.in_split`).
        img_dir: Folder of the images, relative to ``data_root`` or absolute.
        pipeline: Transforms.
        test_mode: One entry for each sentence.
        sentence_key: 'sent', the cleaned sentence, or 'raw', the sentence as it was typed.
        permute_sentences: A seed makes the control that shows whether a model reads the
            sentence: in each image the sentences stay, and each object's go to another object.
            Whoever reads then finds the wrong mask, whoever looks at the image alone does no
            worse than before. Images with a single object to refer to are left out.
        strict: A ref that cannot be used is an error, unless the rules leave it out. False leaves
            all such refs out. Either way the log says how many, by reason.
        cache_dir: Where the checked annotations are kept; None is ``mmseg_remamber`` in the
            user's cache folder. It may be emptied at any time.
        metainfo: As in :class:`mmengine.dataset.BaseDataset`. Its ``origin``, a dict of fields of
            :class:`.Origin`, says what the pictures and sentences are, which checkpoints carry
            along; of published datasets it is known by their folder's name.
        indices, lazy_init: As in :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: A file or the image folder is missing.
        ValueError: An unknown split (the message lists those present), a damaged file, (when
            strict) a ref that cannot be used: the message names it and says why; or no ref left.
    """

    METAINFO = dict(classes=('background', 'object'), palette=[[0, 0, 0], [230, 159, 0]])
    RULES: RefRules = REFER

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
        strict: bool = True,
        cache_dir: str | None = None,
        metainfo: Mapping | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ):
        if sentence_key not in SENTENCE_KEYS:
            raise ValueError(f'sentence_key must be one of {SENTENCE_KEYS}, got {sentence_key!r}')
        if permute_sentences is not None and self.RULES.several_targets:
            raise ValueError(f'{type(self).__name__} has no permute_sentences: refs share objects')
        self.folder = Path(data_root) / dataset
        self.split_by = split_by
        self.split = split
        self.sentence_key = sentence_key
        self.permute_sentences = permute_sentences
        self.strict = strict
        self.cache_dir = cache_dir
        self.held_out_images: frozenset[str] = frozenset()
        # plain, as a checkpoint is read as data only
        metainfo = ConfigDict(metainfo or {}).to_dict()
        metainfo['origin'] = find_origin(dataset, split_by, metainfo.get('origin')).to_dict()
        super().__init__(
            metainfo=metainfo,
            data_root=str(data_root),
            data_prefix=dict(img_path=str(img_dir)),
            pipeline=list(pipeline),
            test_mode=test_mode,
            indices=indices,
            lazy_init=lazy_init,
        )

    def load_data_list(self) -> list[dict]:
        """Read the files -> the entries described above, masks still as JSON text.

        Also sets ``held_out_images``: paths of the images of every split but 'train'.
        """
        img_dir = Path(self.data_prefix['img_path'])
        if not img_dir.is_dir():
            raise FileNotFoundError(f'no image folder {img_dir} (data_root and img_dir)')
        checked = load_checked_refs(
            find_refs(self.folder, self.split_by, stem=self.RULES.stem),
            self.folder / 'instances.json',
            self.split,
            self.RULES,
            strict=self.strict,
            sentence_key=self.sentence_key,
            cache_dir=self.cache_dir,
        )
        self.held_out_images = frozenset(
            os.path.join(img_dir, name)
            for split, names in checked.images.items()
            if split != 'train'
            for name in names
        )
        entries = self._with_images(checked, img_dir)
        if self.permute_sentences is not None:
            entries = permute_objects(entries, self.permute_sentences)
        if not entries:
            raise ValueError(f'{self.folder}, {self.split}: no ref is left')
        return (
            [e for entry in entries for e in split_sentences(entry)] if self.test_mode else entries
        )

    def get_data_info(self, idx: int) -> dict:
        """Give the entry of this number, with its mask parsed from JSON text."""
        entry = super().get_data_info(idx)
        for key in entry.keys() & TEXT_KEYS:
            entry[key] = json.loads(entry[key])
        return entry

    def _with_images(self, checked: CheckedRefs, img_dir: Path) -> list[dict]:
        """Turn records into entries; a record without its image file is left out or an error."""
        folder = str(img_dir)
        paths = {
            name: os.path.join(folder, name) for name in {r['file_name'] for r in checked.records}
        }
        missing = missing_files(paths.values())
        entries = []
        for record in checked.records:
            path = paths[record.pop('file_name')]
            if path in missing:
                if self.strict:
                    raise FileNotFoundError(
                        f'ref {record["ref_id"]} of {self.folder}: no image {path}'
                    )
                continue
            del record['split']
            record['img_path'] = path
            entries.append(record)
        if len(entries) < len(checked.records):
            print_log(
                f'{self.folder}, {self.split}: {len(checked.records) - len(entries)} refs left out '
                f'({len(missing)} image files are missing)',
                'current',
                WARNING,
            )
        return entries


def missing_files(paths: Iterable[str]) -> set[str]:
    """Find the paths that no folder lists: one listing a folder, not one look-up a file."""
    listings: dict[str, set[str]] = {}
    missing = set()
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in listings:
            listings[folder] = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        if name not in listings[folder]:
            missing.add(path)
    return missing


def split_sentences(entry: dict) -> list[dict]:
    """Make one entry for each sentence of an entry."""
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
