# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Finds and reads what lies in a data root, without building datasets."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from mmseg_remamber.datasets.refer.cache import log_left_out
from mmseg_remamber.datasets.refer.fields import InvalidRef, name_ref, read_fields
from mmseg_remamber.datasets.refer.reader import find_refs, in_split, load_instances, load_refs
from mmseg_remamber.datasets.refer.rules import GREFCOCO, REFER, RefRules

_REFS_FILE = re.compile(r'g?refs\((?P<split_by>.+)\)\.(p|json)')


class SplitName(NamedTuple):
    """One split of one dataset, written ``dataset/split_by/split`` on a command line."""

    dataset: str
    split_by: str
    split: str

    def __str__(self) -> str:
        return '/'.join(self)


def parse_split_name(text: str) -> SplitName:
    """Split a name into its three parts.

    >>> parse_split_name('refcoco/unc/train')
    SplitName(dataset='refcoco', split_by='unc', split='train')

    Raises:
        ValueError: Not of three parts.
    """
    parts = text.split('/')
    if len(parts) != 3 or not all(parts):
        raise ValueError(f'a split is written dataset/split_by/split, got {text!r}')
    return SplitName(*parts)


def list_datasets(root: Path) -> list[str]:
    """List the names of the folders in a data root that have an ``instances.json``, sorted.

    Raises:
        FileNotFoundError: No such folder, or no dataset in it.
    """
    if not root.is_dir():
        raise FileNotFoundError(f'no data root {root}')
    names = sorted(path.parent.name for path in root.glob('*/instances.json'))
    if not names:
        raise FileNotFoundError(f'no dataset folder (with an instances.json) in {root}')
    return names


def list_split_by(folder: Path) -> list[str]:
    """List whose splits lie in a dataset folder, by the names of its refs files, sorted."""
    matches = (_REFS_FILE.fullmatch(path.name) for path in folder.iterdir())
    return sorted({match['split_by'] for match in matches if match})


def rules_of(folder: Path) -> RefRules:
    """Choose the rules of a dataset folder by its refs files; gRefCOCO's is ``grefs(...)``."""
    return GREFCOCO if any(folder.glob(f'{GREFCOCO.stem}(*')) else REFER


def find_refs_file(folder: Path, split_by: str) -> Path:
    """Find the refs file of a dataset folder, named as its rules say.

    Raises:
        FileNotFoundError: There is none; names the ``split_by`` values that are there.
    """
    return find_refs(folder, split_by, stem=rules_of(folder).stem)


def read_refs(root: Path, dataset: str, split_by: str) -> list[dict]:
    """Read the refs of all splits, as they are in the file, each field of them checked.

    What they refer to is not looked up. Refs that the rules leave out are not among them, and the
    log says how many.

    Raises:
        ValueError: No such dataset in the root, which names those there; a damaged file; or a ref
            without a field, or with one of a wrong type.
        FileNotFoundError: No refs file of this ``split_by``; names those there.
    """
    present = list_datasets(root)
    if dataset not in present:
        raise ValueError(f'dataset must be one of {present} in {root}, got {dataset!r}')
    rules, path = rules_of(root / dataset), find_refs_file(root / dataset, split_by)
    refs, left_out = [], Counter[str]()
    for position, ref in enumerate(load_refs(path)):
        try:
            read_fields(ref, rules)
        except InvalidRef as e:
            if not e.left_out:
                raise ValueError(f'{name_ref(ref, position)} of {path}: {e}') from e
            left_out[e.reason] += 1
        else:
            refs.append(ref)
    log_left_out(path, left_out)
    return refs


def read_instances(folder: Path) -> dict:
    """Read the whole ``instances.json`` of a dataset, after checking that it is one.

    Raises:
        FileNotFoundError, ValueError: As :func:`load_instances`.
    """
    path = folder / 'instances.json'
    load_instances(path)
    return json.loads(path.read_text(encoding='utf-8'))


def target_ids(ref: dict) -> list[int | str]:
    """List the ids of the annotations that a ref means: one, or in gRefCOCO none or several.

    Args:
        ref: As :func:`read_refs` gives it.
    """
    ids = ref['ann_id']
    if not isinstance(ids, list):
        return [ids]
    return [ann_id for ann_id in ids if ann_id != -1]  # gRefCOCO writes [-1] for no target


def split_refs(refs: list[dict], split: str) -> list[dict]:
    """Choose the refs of one split, by the rules of :func:`in_split`.

    Args:
        refs: As :func:`read_refs` gives them.
        split: Which.

    Raises:
        ValueError: No such split; names those there.
    """
    chosen = [ref for ref in refs if in_split(ref['split'], split)]
    if not chosen:
        present = sorted({ref['split'] for ref in refs})
        raise ValueError(f'split must be one of {present}, got {split!r}')
    return chosen


def reading_order(split: str) -> tuple[int, str]:
    """Give the key that sorts splits: train, val, then all others by name."""
    return ('train', 'val').index(split) if split in ('train', 'val') else 2, split
