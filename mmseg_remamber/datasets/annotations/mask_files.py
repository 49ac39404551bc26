# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks as PNG files: one object a file, or one value an object."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from mmseg_remamber.datasets.decoding import open_picture

from .objects import MarkedObject, MarkedPicture, read_mask, unite_parts
from .pictures import Ambiguous, PictureFolder
from .report import Report, some
from .shapes import encode

_MODES = ('1', 'L', 'P', 'I', 'I;16', 'I;16B', 'LA', 'RGB', 'RGBA')
_NUMBER = re.compile(r'[ _.-]*\d+$')


def read_mask_files(path: Path, folder: PictureFolder, report: Report) -> dict[str, MarkedPicture]:
    """Read masks of one object a file: 0 where it is not, one other value where it is.

    The masks of a picture ``sub/a.jpg`` are ``sub/a/NAME.png`` (or ``sub/a.jpg/NAME.png``), or
    ``sub/a_NAME.png``. NAME is the object's own name; its label is the name without a number at
    its end.

    Args:
        path: Folder of the masks.
        folder: The pictures.
        report: Gets what cannot be used.

    Returns:
        Name of a picture in the folder -> its objects, by the names of their files.

    Raises:
        FileNotFoundError: No such folder, or no PNG in it.
    """
    pictures: dict[str, MarkedPicture] = {}
    tried: set[str] = set()
    for file in _list_masks(path):
        try:
            name, called = _owner(file.relative_to(path).with_suffix('').as_posix(), folder)
            mask = _read_grey(file)
            if len(values := np.unique(mask)) > 2 or (len(values) == 2 and values[0] != 0):
                raise ValueError(
                    f'a mask of one object has 0 and one other value, this has {some(values)}'
                )
        except (LookupError, ValueError) as error:
            report.bad(str(file), str(error.args[0]))
            continue
        if not _ready(name, file, mask, pictures, tried, folder, report):
            continue
        label = _NUMBER.sub('', called)
        _add(pictures[name], mask != 0, label, called, file, report)
    return pictures


def read_mask_values(
    path: Path, folder: PictureFolder, report: Report, background: Collection[int] = (0,)
) -> dict[str, MarkedPicture]:
    """Read masks of one value an object, in an indexed or grey PNG a picture.

    The mask of a picture ``sub/a.jpg`` is ``sub/a.png`` or ``sub/a.jpg.png``. The value is the
    object's own name; objects have no labels.

    Args:
        path: Folder of the masks.
        folder: The pictures.
        report: Gets what cannot be used.
        background: Values that are no object.

    Returns:
        Name of a picture in the folder -> its objects, by value.

    Raises:
        FileNotFoundError: No such folder, or no PNG in it.
    """
    pictures: dict[str, MarkedPicture] = {}
    tried: set[str] = set()
    for file in _list_masks(path):
        try:
            name = folder.find(file.relative_to(path).with_suffix('').as_posix())
            mask = _read_grey(file)
        except (LookupError, ValueError) as error:
            report.bad(str(file), str(error.args[0]))
            continue
        if name in tried:
            report.bad(str(file), f'{name} is the picture of an earlier mask')
            continue
        if not _ready(name, file, mask, pictures, tried, folder, report):
            continue
        values = [int(value) for value in np.unique(mask) if value not in background]
        if not values:
            report.bad(str(file), f'no value but background ({some(background)})')
        for value in values:
            _add(pictures[name], mask == value, '', str(value), file, report)
    return pictures


def _list_masks(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        raise FileNotFoundError(f'no folder of masks {path}')
    files = [
        file
        for file in sorted(path.rglob('*'))
        if file.suffix.lower() == '.png' and file.name[0] != '.' and file.is_file()
    ]
    if not files:
        raise FileNotFoundError(f'no PNG in {path}')
    yield from files


def _owner(stem: str, folder: PictureFolder) -> tuple[str, str]:
    """-> name of the picture that a mask belongs to, and of its object

    Raises:
        LookupError: There is no such picture, or there are several.
    """
    above, _, last = stem.rpartition('/')
    if above:
        try:
            return folder.find(above), last
        except Ambiguous:
            raise
        except LookupError:
            pass  # a folder of pictures
    found = {}
    for cut in (i for i, letter in enumerate(last) if letter == '_' and 0 < i < len(last) - 1):
        try:
            name = folder.find(f'{above}/{last[:cut]}' if above else last[:cut])
        except LookupError:
            continue
        found[name] = last[cut + 1 :]
    if len(found) == 1:
        return found.popitem()
    if found:
        raise LookupError(
            f'it may be a mask of each of {some(found)}: put the masks of a picture in a folder '
            'of its name'
        )
    raise LookupError(f'no picture in {folder.root} is named as its folder or before a "_" in it')


def _read_grey(file: Path) -> np.ndarray:
    """Read a mask -> (H, W) values, those of an indexed PNG being its indices.

    Raises:
        ValueError: It is no PNG, damaged, or of colours.
    """
    with open_picture(file, str(file)) as image:
        try:
            values = np.asarray(image).astype(np.int64)
        except (OSError, SyntaxError) as error:
            raise ValueError(f'it is damaged: {error}') from error
        mode = image.mode
    if mode in ('LA', 'RGBA') and (values[..., -1] == 255).all():
        values = values[..., :-1]
    if mode in ('LA', 'RGB', 'RGBA') and (values == values[..., :1]).all():
        values = values[..., 0]  # grey, saved as colours
    if values.ndim != 2 or mode not in _MODES:
        raise ValueError(
            f'a mask is an indexed or grey PNG without transparency, this has colours ({mode})'
        )
    return values


def _ready(
    name: str,
    file: Path,
    mask: np.ndarray,
    pictures: dict[str, MarkedPicture],
    tried: set[str],
    folder: PictureFolder,
    report: Report,
) -> bool:
    """Whether the picture of a mask is there and has its size; opens it for the first mask."""
    if name not in tried:
        tried.add(name)
        picture = folder.open(name, str(file), None, report)
        if picture is None:
            return False
        pictures[name] = MarkedPicture(picture)
    elif name not in pictures:
        report.bad(str(file), f'its picture {name} cannot be used')
        return False
    try:
        pictures[name].picture.check_size(mask.shape[::-1])
    except ValueError as error:
        report.bad(str(file), str(error))
        return False
    return True


def _add(
    marked: MarkedPicture, mask: np.ndarray, label: str, name: str, file: Path, report: Report
) -> None:
    segmentation = read_mask(lambda: encode(mask), marked.picture, str(file), report)
    segmentation = unite_parts([segmentation], marked.picture)
    marked.objects.append(MarkedObject(label, name, segmentation, str(file)))
