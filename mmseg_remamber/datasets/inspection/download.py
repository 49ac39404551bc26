# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks whether a download is whole, and whether the configs load it.

Refs are judged by the loader's own checker, by the rules of the dataset class that the configs
name, and pictures are decoded as the loader decodes them.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from mmseg_remamber.checkpoints.digest import sha256_of_file
from mmseg_remamber.datasets.decoding import decode_picture, open_picture, orientation_of
from mmseg_remamber.datasets.refer.checker import RefChecker
from mmseg_remamber.datasets.refer.fields import InvalidRef, name_ref
from mmseg_remamber.datasets.refer.reader import find_refs, in_split, load_instances, load_refs

from .layout import reading_order
from .published import Counts, published

_SHOWN = 5  # examples named in a finding
_CONFIGURED = ('train', 'val')  # splits that every config reads


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
    """Compare a dataset folder with what is published of it, and with what the configs load.

    Args:
        root: Data root.
        dataset: A published dataset, see :data:`PUBLISHED`.
        split_by: Whose splits to look for; None is all that are published.
        img_dir: Folder of the images; None is the one that the configs have.
        compare_counts: Whether counts must be the published ones, and the splits there that the
            configs read. A subset of a dataset has others: False reports them alone.
        read_images: Whether to decode each image, as training would.

    Returns:
        Findings of ``instances.json``, of each refs file, and of the images of its refs. A ref
        or image that the loader refuses is wrong; refs that the rules of the dataset leave out,
        and images that EXIF would turn, are counted.

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
    except (OSError, ValueError) as e:
        return [_failure(f'{dataset}/instances.json', e)]
    findings = [_file(folder / 'instances.json', dataset)]
    pictures: dict[tuple, dict] = {}
    for name in wanted:
        subject = f'{dataset}/{name}'
        try:
            path = find_refs(folder, name, stem=entry.rules.stem)
            refs = load_refs(path)
        except (OSError, ValueError) as e:
            findings.append(_failure(f'{dataset}/{entry.rules.stem}({name})', e))
            continue
        findings.append(_file(path, dataset))
        checked = _check_refs(refs, RefChecker(images, annotations, entry.rules))
        expected = entry.partitions[name] if compare_counts else {}
        needed = _CONFIGURED if compare_counts else ()
        findings += _judge(checked, subject)
        findings += _count_splits(checked.records, subject, expected, needed)
        for record in checked.records:
            key = tuple(record[field] for field in ('file_name', 'width', 'height'))
            pictures[key] = record
    if read_images:
        records = [pictures[key] for key in sorted(pictures)]
        findings += check_images(records, img_dir or root / entry.img_dir)
    return findings


def check_images(records: Iterable[Mapping], img_dir: Path) -> list[Finding]:
    """Decode images as the loader does: are they there, whole, and of the recorded sizes.

    Those whose EXIF orientation would turn them are counted: masks lie on the pixels as stored,
    so that the loader does not turn them, while a picture of one's own is turned.

    Args:
        records: Of images, or those of :class:`.RefChecker`: dicts with ``file_name`` (str),
            ``width`` and ``height`` (int).
        img_dir: Folder that the names are relative to.
    """
    records = list(records)
    if not img_dir.is_dir():
        detail = 'no such folder'
        return [Finding(str(img_dir), 'images', 0, len(records), False, detail)]
    named: dict[_Fault | None, list[str]] = defaultdict(list)
    turned = []
    # decoding leaves the interpreter to other threads
    with ThreadPoolExecutor(_num_cores()) as pool:
        for record, look in zip(records, pool.map(lambda record: _look(record, img_dir), records)):
            named[look.fault].append(record['file_name'] + look.detail)
            if look.turned:
                turned.append(record['file_name'])
    missing, damaged, resized = (
        named[fault] for fault in (_Fault.MISSING, _Fault.DAMAGED, _Fault.RESIZED)
    )
    present = len(records) - len(missing)
    return [
        Finding(str(img_dir), 'images', present, len(records), not missing, _some(missing)),
        Finding(str(img_dir), 'unreadable', len(damaged), 0, not damaged, _some(damaged)),
        Finding(str(img_dir), 'of another size', len(resized), 0, not resized, _some(resized)),
        Finding(
            str(img_dir), 'turned by EXIF, read as stored', len(turned), None, None, _some(turned)
        ),
    ]


def count(records: Sequence[Mapping]) -> Counts:
    """Count refs, their sentences, and their distinct images.

    Args:
        records: As :class:`.RefChecker` makes them.
    """
    return Counts(
        refs=len(records),
        sentences=sum(len(record['sentences']) for record in records),
        images=len({record['file_name'] for record in records}),
    )


class _Checked(NamedTuple):
    """A refs file as the loader takes it."""

    records: list[dict]
    refused: dict[str, list[str]]  # by reason, each ref with what is wrong
    left_out: dict[str, list[str]]  # by reason, the names of the refs


def _check_refs(refs: list[dict], check: RefChecker) -> _Checked:
    checked = _Checked([], defaultdict(list), defaultdict(list))
    for position, ref in enumerate(refs):
        try:
            checked.records.append(check(ref))
        except InvalidRef as e:
            name = name_ref(ref, position)
            if e.left_out:
                checked.left_out[e.reason].append(name)
            else:
                detail = str(e).removeprefix(f'{e.reason}: ')
                checked.refused[e.reason].append(f'{name}: {detail}')
    return checked


def _judge(checked: _Checked, subject: str) -> list[Finding]:
    refused = [
        Finding(subject, f'refs refused, {reason}', len(names), 0, False, _some(names))
        for reason, names in checked.refused.items()
    ]
    left_out = [
        Finding(subject, f'refs left out, {reason}', len(names), None, None, _some(names))
        for reason, names in checked.left_out.items()
    ]
    usable = len(checked.records)
    return [
        Finding(subject, 'refs that load', usable, None, False if not usable else None),
        *(refused or [Finding(subject, 'refs refused', 0, 0, True)]),
        *left_out,
    ]


def _count_splits(
    records: list[dict], subject: str, expected: Mapping[str, Counts], needed: Sequence[str]
) -> list[Finding]:
    splits = {record['split'] for record in records} | expected.keys() | set(needed)
    findings = []
    for split in sorted(splits, key=reading_order):
        found = count([record for record in records if in_split(record['split'], split)])
        wanted = expected.get(split, Counts())
        for name in ('refs', 'sentences', 'images'):
            have, want = getattr(found, name), getattr(wanted, name)
            ok = None if want is None else have == want
            lacking = split in needed and name == 'refs' and not have
            detail = 'the configs read this split' if lacking else ''
            ok = False if lacking else ok
            findings.append(Finding(f'{subject}/{split}', name, have, want, ok, detail))
    return findings


class _Fault(Enum):
    """Why an image cannot be used."""

    MISSING = 1
    DAMAGED = 2
    RESIZED = 3


class _Look(NamedTuple):
    """What decoding an image showed."""

    fault: _Fault | None = None
    detail: str = ''
    turned: bool = False


def _look(record: Mapping, img_dir: Path) -> _Look:
    name = record['file_name']
    try:
        with open_picture(img_dir / name, name) as image:
            pixels = decode_picture(image, name, turn=False)
            turned = orientation_of(image) != 1
    except FileNotFoundError:
        return _Look(_Fault.MISSING)
    except ValueError as e:
        return _Look(_Fault.DAMAGED, f' ({e})')
    (height, width), recorded = pixels.shape[:2], (record['width'], record['height'])
    if (width, height) != recorded:
        return _Look(_Fault.RESIZED, ' {}x{}, not {}x{}'.format(width, height, *recorded))
    return _Look(turned=turned)


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _file(path: Path, dataset: str) -> Finding:
    return Finding(f'{dataset}/{path.name}', 'sha256', sha256_of_file(path), None, None)


def _failure(subject: str, error: Exception) -> Finding:
    return Finding(subject, 'file', 'unusable', 'present', False, str(error))


def _some(names: Sequence) -> str:
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return ', '.join(map(str, names[:_SHOWN])) + more
