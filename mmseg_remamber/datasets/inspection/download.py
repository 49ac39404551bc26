# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks whether a download is whole: files, published counts, references, images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from mmseg_remamber.checkpoints.digest import sha256_of_file
from mmseg_remamber.datasets.refer.reader import in_split, load_instances, load_refs

from .layout import find_refs_file, reading_order, target_ids
from .published import Counts, published

_SHOWN = 5  # examples named in a finding


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        subject: File, folder of images, or ``dataset/split_by/split``.
        check: What of it was checked.
        found: What is there.
        expected: What should be there, or None where nothing is published.
        ok: Whether they agree; None where nothing is expected.
        detail: Examples of what is wrong, or the error's message.
    """

    subject: str
    check: str
    found: int | str
    expected: int | str | None
    ok: bool | None
    detail: str = ''


def check_download(
    root: Path,
    dataset: str,
    *,
    split_by: Sequence[str] | None = None,
    img_dir: Path | None = None,
    compare_counts: bool = True,
    read_images: bool = True,
) -> list[Finding]:
    """Compare a dataset folder with what is published of it.

    Args:
        root: Data root.
        dataset: A published dataset, see :data:`PUBLISHED`.
        split_by: Whose splits to look for; None is all that are published.
        img_dir: Folder of the images; None is the one that the configs have.
        compare_counts: Whether counts must be the published ones. A subset of a dataset has
            others: False reports them alone.
        read_images: Whether to open each image's header, to see that it is there and of the size
            that its record has. Pixels are not decoded.

    Returns:
        Findings of ``instances.json``, of each refs file, and of the images that any ref has.

    Raises:
        ValueError: An unknown dataset or ``split_by``; names those known.
    """
    entry = published(dataset)
    wanted = list(entry.partitions) if split_by is None else list(split_by)
    for name in wanted:
        if name not in entry.partitions:
            raise ValueError(
                f'split_by of {dataset} must be among {sorted(entry.partitions)}, got {name!r}'
            )
    folder = root / dataset
    try:
        images, annotations = load_instances(folder / 'instances.json')
    except (FileNotFoundError, ValueError) as e:
        return [_failure(f'{dataset}/instances.json', e)]
    findings = [_file(folder / 'instances.json', dataset)]
    used: set = set()
    for name in wanted:
        try:
            path = find_refs_file(folder, name)
            refs = load_refs(path)
        except (FileNotFoundError, ValueError) as e:
            findings.append(_failure(f'{dataset}/refs({name})', e))
            continue
        findings.append(_file(path, dataset))
        expected = entry.partitions[name] if compare_counts else {}
        findings += _count_splits(refs, f'{dataset}/{name}', expected)
        findings += _check_references(refs, f'{dataset}/{name}', images, annotations)
        used |= {ref['image_id'] for ref in refs}
    if read_images:
        records = [images[image_id] for image_id in sorted(used & images.keys())]
        findings += check_images(records, img_dir or root / entry.img_dir)
    return findings


def check_images(records: Sequence[dict], img_dir: Path) -> list[Finding]:
    """Check that the images of these records are there, open, and have the recorded sizes."""
    if not img_dir.is_dir():
        detail = 'no such folder'
        return [Finding(str(img_dir), 'images', 0, len(records), False, detail)]
    missing, unreadable, resized = [], [], []
    for record in records:
        path = img_dir / record['file_name']
        try:
            with Image.open(path) as image:  # reads the header alone
                size = image.size
        except FileNotFoundError:
            missing.append(record['file_name'])
        except (OSError, UnidentifiedImageError):
            unreadable.append(record['file_name'])
        else:
            recorded = record['width'], record['height']
            if size != recorded:
                resized.append('{} {}x{}, not {}x{}'.format(record['file_name'], *size, *recorded))
    present = len(records) - len(missing)
    return [
        Finding(str(img_dir), 'images', present, len(records), not missing, _some(missing)),
        Finding(str(img_dir), 'unreadable', len(unreadable), 0, not unreadable, _some(unreadable)),
        Finding(str(img_dir), 'of another size', len(resized), 0, not resized, _some(resized)),
    ]


def count(refs: Sequence[dict]) -> Counts:
    """Count refs, their sentences, and their distinct images."""
    return Counts(
        refs=len(refs),
        sentences=sum(len(ref['sentences']) for ref in refs),
        images=len({ref['image_id'] for ref in refs}),
    )


def _count_splits(refs: list[dict], subject: str, expected: Mapping[str, Counts]) -> list[Finding]:
    splits = {ref['split'] for ref in refs} | expected.keys()
    findings = []
    for split in sorted(splits, key=reading_order):
        found = count([ref for ref in refs if in_split(ref['split'], split)])
        wanted = expected.get(split, Counts())
        for name in ('refs', 'sentences', 'images'):
            have, want = getattr(found, name), getattr(wanted, name)
            ok = None if want is None else have == want
            findings.append(Finding(f'{subject}/{split}', name, have, want, ok))
    return findings


def _check_references(
    refs: list[dict], subject: str, images: dict, annotations: dict
) -> list[Finding]:
    uses = Counter(ref['ref_id'] for ref in refs)
    twice = sorted(ref_id for ref_id, times in uses.items() if times > 1)
    no_image = [ref['ref_id'] for ref in refs if ref['image_id'] not in images]
    no_object = [
        ref['ref_id']
        for ref in refs
        if any(ann_id not in annotations for ann_id in target_ids(ref))
    ]
    return [
        Finding(subject, name, len(wrong), 0, not wrong, _some(wrong))
        for name, wrong in (
            ('ref ids used twice', twice),
            ('refs without image record', no_image),
            ('refs without annotation', no_object),
        )
    ]


def _file(path: Path, dataset: str) -> Finding:
    return Finding(f'{dataset}/{path.name}', 'sha256', sha256_of_file(path), None, None)


def _failure(subject: str, error: Exception) -> Finding:
    return Finding(subject, 'file', 'unusable', 'present', False, str(error))


def _some(names: Sequence) -> str:
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return ', '.join(map(str, names[:_SHOWN])) + more
