# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks the refs of a dataset once, and keeps them by the content of the files they are in."""

import gc
import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from logging import WARNING
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import print_log

from mmseg_remamber.checkpoints.digest import sha256_of_file

from .checker import RefChecker
from .fields import InvalidRef, name_ref
from .reader import ID_TYPES, in_split, load_instances, load_refs
from .rules import REFER, RefRules

# Part of the key: raise it with every change of what a record holds or of what is checked.
_FORMAT = 2
TEXT_KEYS = frozenset(['segmentation', 'segmentations'])


class CheckedRefs(NamedTuple):
    """Checked refs of one split, and what the file has beside it.

    Attributes:
        records: As :class:`RefChecker` makes them, but with ``segmentation`` (or
            ``segmentations``) as JSON text, which is read where a mask is needed: reading all of
            them would be most of the time of a start.
        images: For each split of the file, the file names of its images, those of refs that
            were left out among them.
        left_out: For each reason, the number of refs of the file (of all splits) left out by it.
    """

    records: list[dict]
    images: dict[str, list[str]]
    left_out: dict[str, int]


def load_checked_refs(
    refs_path: Path,
    instances_path: Path,
    split: str,
    rules: RefRules = REFER,
    *,
    strict: bool = True,
    sentence_key: str = 'sent',
    cache_dir: Path | None = None,
) -> CheckedRefs:
    """Read one split of a refs file from the cache, or from the files, which fills the cache.

    The cache file's name is a hash of both files' content and of the options, so that it never
    has to be thrown away by hand; it holds JSON and its own checksum, and one that does not
    match is made anew.

    Args:
        refs_path, instances_path: The two files.
        split: As :func:`in_split` reads it.
        rules: Of the dataset. What they leave out is counted and logged.
        strict: Whether any other ref that cannot be used is an error; if not it is left out, too.
        sentence_key: As in :class:`RefChecker`.
        cache_dir: Where cache files lie; None is :func:`default_cache_dir`.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A damaged file, a ref that cannot be used (when strict), or a split that has
            no refs; the message lists those that have. A split whose refs are all left out has
            no records.
    """
    options = dict(strict=strict, sentence_key=sentence_key)
    key = _key(refs_path, instances_path, dict(options, rules=asdict(rules)))
    cache = Path(cache_dir or default_cache_dir()) / f'{key}.json'
    with _no_collection():
        checked = _read(cache, split)
        if checked is None:
            content = _build(refs_path, instances_path, rules, **options)
            _write(cache, content)
            checked = _of_split(content, split)
            del content
    log_left_out(refs_path, checked.left_out)
    if not any(in_split(name, split) for name in checked.images):
        raise ValueError(
            f'split must be one of {sorted(checked.images)} in {refs_path}, got {split!r}'
        )
    return checked


def log_left_out(refs_path: Path, left_out: Mapping[str, int]) -> None:
    """Log how many refs of a file are left out, by reason; nothing where none are."""
    if left_out:
        reasons = ', '.join(f'{count} {reason}' for reason, count in left_out.items())
        message = f'{refs_path}: {sum(left_out.values())} refs left out ({reasons})'
        print_log(message, 'current', WARNING)


def default_cache_dir() -> Path:
    """Give ``mmseg_remamber`` in ``XDG_CACHE_HOME``, or in ``~/.cache`` where that is not set."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'mmseg_remamber'


class _Content(NamedTuple):
    """A whole refs file, checked."""

    records: dict[str, list[dict]]  # by split
    images: dict[str, list[str]]
    left_out: dict[str, int]


def _build(
    refs_path: Path, instances_path: Path, rules: RefRules, *, strict: bool, sentence_key: str
) -> _Content:
    refs = load_refs(refs_path)
    images, annotations = load_instances(instances_path, strict=strict)
    check = RefChecker(images, annotations, rules, sentence_key=sentence_key)
    records: dict[str, list[dict]] = {}
    # a dict keeps the order, and each name once
    image_names: dict[str, dict[str, None]] = {}
    left_out: Counter[str] = Counter()
    for position, ref in enumerate(refs):
        try:
            record = check(ref)
        except InvalidRef as e:
            if strict and not e.left_out:
                raise ValueError(f'{name_ref(ref, position)} of {refs_path}: {e}') from e
            left_out[e.reason] += 1
            split, name = _split_and_image(ref, images)
        else:
            split, name = record['split'], record['file_name']
            for key in record.keys() & TEXT_KEYS:
                record[key] = json.dumps(record[key])
            records.setdefault(split, []).append(record)
        if split and name:
            image_names.setdefault(split, {})[name] = None
    return _Content(records, {s: list(names) for s, names in image_names.items()}, dict(left_out))


def _split_and_image(ref: dict, images: dict[int | str, dict]) -> tuple[str | None, str | None]:
    """Read split and image file of a ref that is left out, as far as they can be read."""
    split, image_id = ref.get('split'), ref.get('image_id')
    image = images.get(image_id, {}) if type(image_id) in ID_TYPES else {}
    name = image.get('file_name')
    return (split if type(split) is str else None), (name if type(name) is str else None)


def _of_split(content: _Content, split: str) -> CheckedRefs:
    groups = [group for name, group in content.records.items() if in_split(name, split)]
    return CheckedRefs(list(chain.from_iterable(groups)), content.images, content.left_out)


# --- The cache file: lines of JSON, a header, the images, and one of each split's refs ------------


def _key(refs_path: Path, instances_path: Path, options: dict) -> str:
    digest = hashlib.sha256(json.dumps([_FORMAT, refs_path.suffix, options]).encode())
    for path in (refs_path, instances_path):
        if not path.is_file():
            raise FileNotFoundError(f'no annotation file {path}')
        digest.update(bytes.fromhex(sha256_of_file(path)))
    return digest.hexdigest()[:32]


def _write(path: Path, content: _Content) -> None:
    """Write under another name and rename: processes that start at once see all or nothing."""
    images = _line(content.images)
    groups = {split: _line(records) for split, records in content.records.items()}
    header = _line(
        dict(
            left_out=content.left_out,
            images=[len(images), _checksum(images)],
            splits={split: [len(group), _checksum(group)] for split, group in groups.items()},
        )
    )
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            temporary = file.name
            file.writelines([_line(_checksum(header)), header, images, *groups.values()])
        os.replace(temporary, path)
    except OSError as e:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        print_log(f'no cache of the annotations: {e}', 'current', WARNING)


def _read(path: Path, split: str) -> CheckedRefs | None:
    """Read a split from the cache; None where there is no file, or a damaged one."""
    try:
        with path.open('rb') as file:
            checksum, line = json.loads(file.readline()), file.readline()
            header = _checked(line, len(line), checksum)
            images = _checked(file.read(header['images'][0]), *header['images'])
            records: list[dict] = []
            for name, (length, checksum) in header['splits'].items():
                if in_split(name, split):
                    records += _checked(file.read(length), length, checksum)
                else:
                    file.seek(length, os.SEEK_CUR)
    except FileNotFoundError:
        return None
    except OSError as e:
        print_log(f'cache {path} cannot be read: {e}', 'current', WARNING)
        return None
    except ValueError as e:
        print_log(f'cache {path} is damaged and made anew: {e}', 'current', WARNING)
        return None
    return CheckedRefs(records, images, header['left_out'])


def _line(value) -> bytes:
    return json.dumps(value).encode() + b'\n'


def _checksum(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _checked(line: bytes, length: int, checksum: str):
    """Parse a line, if it is the line that was written.

    Raises:
        ValueError: It is another.
    """
    if len(line) != length or _checksum(line) != checksum:
        raise ValueError('checksum differs')
    return json.loads(line)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage: looking for cycles among millions of lists takes longer than reading."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
