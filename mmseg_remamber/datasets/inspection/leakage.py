# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What two splits have in common."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path

from mmseg_remamber.datasets.mixed import image_key
from mmseg_remamber.datasets.refer.checker import find_image
from mmseg_remamber.datasets.refer.fields import InvalidRef
from mmseg_remamber.datasets.refer.reader import load_instances

from .layout import (
    SplitName,
    list_datasets,
    list_split_by,
    read_refs,
    reading_order,
    split_refs,
    target_ids,
)


@dataclass(frozen=True)
class SplitContent:
    """What a split has that may be in another split, too.

    COCO's images are told apart by their number, as :func:`image_key` does, others by their file
    name; ids would not do, because RefCLEF numbers its images anew. An object is an annotation in
    an image. Sentences are compared in lower case with single spaces.

    Attributes:
        name: Of the split.
        images: ``'coco NUMBER'`` or file names.
        objects: (image, annotation id).
        sentences: The texts.
        described: (image, text) of each sentence, with the image that it was said of.
    """

    name: SplitName
    images: frozenset[str]
    objects: frozenset[tuple[str, int | str]]
    sentences: frozenset[str]
    described: frozenset[tuple[str, str]]


MEASURES = ('images', 'objects', 'sentences', 'described')


@dataclass(frozen=True)
class Leakage:
    """What two splits share.

    Attributes:
        first, second: Their names.
        shared: Of each of :data:`MEASURES`, how many both have.
        of_first, of_second: Of each measure, how many the one split has.
        examples: Some of what is shared, of each measure of which anything is.
    """

    first: str
    second: str
    shared: dict[str, int]
    of_first: dict[str, int]
    of_second: dict[str, int]
    examples: dict[str, list] = field(default_factory=dict)

    def as_dict(self) -> dict:
        """Convert it to plain data for JSON."""
        return asdict(self)


def compare(first: SplitContent, second: SplitContent, *, num_examples: int = 5) -> Leakage:
    """Count what two splits share, and pick ``num_examples`` of it for each measure."""
    shared = {name: getattr(first, name) & getattr(second, name) for name in MEASURES}
    return Leakage(
        first=str(first.name),
        second=str(second.name),
        shared={name: len(items) for name, items in shared.items()},
        of_first={name: len(getattr(first, name)) for name in MEASURES},
        of_second={name: len(getattr(second, name)) for name in MEASURES},
        examples={
            name: sorted(items, key=str)[:num_examples] for name, items in shared.items() if items
        },
    )


def compare_all(contents: Iterable[SplitContent]) -> list[Leakage]:
    """Compare each pair of splits, in the given order."""
    return [compare(first, second) for first, second in combinations(contents, 2)]


def read_splits(root: Path, names: Iterable[SplitName]) -> list[SplitContent]:
    """Read the contents of some splits; each file is read once.

    Raises:
        ValueError, FileNotFoundError: No such dataset, ``split_by`` or split, which names those
            there; or a file, a ref or the record of an image that cannot be used.
    """
    refs_of: dict[tuple[str, str], list[dict]] = {}
    images_of: dict[str, dict] = {}
    contents = []
    for name in names:
        key = (name.dataset, name.split_by)
        if key not in refs_of:
            refs_of[key] = read_refs(root, *key)
        if name.dataset not in images_of:
            images_of[name.dataset], _ = load_instances(root / name.dataset / 'instances.json')
        try:
            chosen = split_refs(refs_of[key], name.split)
        except ValueError as e:
            raise ValueError(f'{name}: {e}') from e
        contents.append(_content(name, chosen, images_of[name.dataset]))
    return contents


def list_splits(root: Path) -> list[SplitName]:
    """List every split of every dataset in a data root, by what the refs say themselves."""
    names = []
    for dataset in list_datasets(root):
        for split_by in list_split_by(root / dataset):
            splits = {ref['split'] for ref in read_refs(root, dataset, split_by)}
            names += [
                SplitName(dataset, split_by, split) for split in sorted(splits, key=reading_order)
            ]
    return names


def _image_name(file_name: str) -> str:
    key = image_key(file_name)
    return key if key.startswith('coco ') else file_name


def _content(name: SplitName, refs: list[dict], images: dict) -> SplitContent:
    files, objects, sentences, described = set(), set(), set(), set()
    for ref in refs:
        try:
            file = _image_name(find_image(images, ref['image_id'])['file_name'])
        except InvalidRef as e:
            raise ValueError(f'{name}: ref {ref["ref_id"]}: {e}') from e
        files.add(file)
        objects.update((file, ann_id) for ann_id in target_ids(ref))
        texts = {' '.join(sentence['sent'].lower().split()) for sentence in ref['sentences']}
        sentences |= texts
        described.update((file, text) for text in texts)
    return SplitContent(
        name, frozenset(files), frozenset(objects), frozenset(sentences), frozenset(described)
    )
