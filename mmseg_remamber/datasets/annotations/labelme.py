# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""LabelMe JSON, one file a picture."""

import base64
import binascii
import io
import os
from collections.abc import Mapping
from math import hypot
from pathlib import Path
from reprlib import repr as show
from typing import Any

import numpy as np

from mmseg_remamber.datasets.decoding import open_picture
from mmseg_remamber.datasets.masks import InvalidMask

from .files import BadFile, number, picture_size, read_json
from .objects import MarkedObject, MarkedPicture, read_mask, unite_parts
from .pictures import Picture, PictureFolder
from .report import Report
from .shapes import ellipse, place_mask, polygon, rectangle

SHAPES = ('polygon', 'rectangle', 'oriented_rectangle', 'circle', 'mask')


def read_labelme(path: Path, folder: PictureFolder, report: Report) -> dict[str, MarkedPicture]:
    """Read LabelMe's files.

    Shapes of one label and one ``group_id`` are one object, every other shape is an object of its
    own. Objects have no names but their labels.

    Args:
        path: A file, or a folder with files of any depth.
        folder: The pictures.
        report: Gets what cannot be used.

    Returns:
        Name of a picture in the folder -> its objects.

    Raises:
        FileNotFoundError: No such file or folder, or none of its files is JSON.
    """
    files = [path]
    if path.is_dir():
        files = [file for file in sorted(path.rglob('*.json')) if file.is_file()]
    if not files or not files[0].is_file():
        raise FileNotFoundError(f'no JSON file of LabelMe: {path}')
    pictures: dict[str, MarkedPicture] = {}
    seen: dict[str, Path] = {}
    for file in files:
        try:
            content = read_json(file)
            name, size = _read_header(content, file, folder)
        except BadFile as error:
            report.bad(error.place, error.message)
            continue
        except (LookupError, ValueError) as error:
            report.bad(str(file), str(error.args[0]))
            continue
        if name in seen:
            report.bad(str(file), f'{name} is the picture of {seen[name]} too')
            continue
        seen[name] = file
        picture = folder.open(name, str(file), size, report)
        if picture is not None:
            objects = _read_objects(content['shapes'], file, picture, report)
            pictures[name] = MarkedPicture(picture, objects)
    return pictures


def _read_header(
    content: Any, file: Path, folder: PictureFolder
) -> tuple[str, tuple[int, int] | None]:
    """-> name of the picture, and its size where the file has it"""
    if type(content) is not dict or type(content.get('shapes')) is not list:
        raise ValueError('it is no file of LabelMe: it needs a list "shapes"')
    path = content.get('imagePath')
    if type(path) is not str:
        raise ValueError(f'imagePath is no text: {show(path)}')
    size = picture_size(content.get('imageWidth'), content.get('imageHeight'))
    # written from the folder of the file
    beside = os.path.relpath(os.path.join(file.parent, path.replace('\\', '/')), folder.root)
    beside = Path(beside).as_posix()
    return (beside if beside in folder else folder.find(path)), size


def _read_objects(shapes: list, file: Path, picture: Picture, report: Report) -> list[MarkedObject]:
    groups: dict[tuple, list[int]] = {}
    masks, labels = [], []
    for position, shape in enumerate(shapes, start=1):
        place = f'{file}, shape {position}'
        if type(shape) is not dict:
            report.bad(place, f'it is no object of JSON: {show(shape)}')
            shape = None
        label = shape.get('label') if shape else None
        labels.append(label.strip() if type(label) is str else '')
        group = shape.get('group_id') if shape else None
        key = (position,) if type(group) not in (int, str) else (labels[-1], group)
        groups.setdefault(key, []).append(position - 1)
        masks.append(
            shape and read_mask(lambda s=shape: _outline(s, picture), picture, place, report)
        )
    return [
        MarkedObject(
            label=labels[members[0]],
            name='',
            segmentation=unite_parts([masks[member] for member in members], picture),
            place=f'{file}, shape {", ".join(str(member + 1) for member in members)}',
        )
        for members in groups.values()
    ]


def _outline(shape: Mapping[str, Any], picture: Picture) -> dict | list:
    """Mask of a shape, not checked.

    Raises:
        InvalidMask: It is no area, or damaged.
    """
    kind = shape.get('shape_type') or 'polygon'
    if kind not in SHAPES:
        raise InvalidMask('no area', f'shape_type must be one of {SHAPES}, got {show(kind)}')
    points = shape.get('points')
    if type(points) is not list or not all(type(p) is list and len(p) == 2 for p in points):
        raise InvalidMask('wrong type', f'points must be pairs of numbers, got {show(points)}')
    points = [[number(value, 'a coordinate') for value in point] for point in points]
    if kind in ('polygon', 'oriented_rectangle') or (kind == 'rectangle' and len(points) == 4):
        return polygon(points)
    if len(points) != 2:
        raise InvalidMask(kind, f'two points expected, got {len(points)}')
    (x0, y0), (x1, y1) = points
    if kind == 'rectangle':
        return rectangle(x0, y0, x1, y1)
    if kind == 'circle':
        radius = hypot(x1 - x0, y1 - y0)
        return ellipse((x0, y0), (radius, radius), 0, picture.width, picture.height)
    # both corners lie in the mask
    box = int(x0), int(y0), int(x1) - int(x0) + 1, int(y1) - int(y0) + 1
    return place_mask(_decode(shape.get('mask'), box[2:]), *box[:2], picture.width, picture.height)


def _decode(data: Any, size: tuple[int, int]) -> np.ndarray:
    """Decode the PNG of a mask -> (h, w)."""
    if type(data) is not str:
        raise InvalidMask('wrong type', f'mask must be a PNG in base64, got {show(data)}')
    try:
        content = io.BytesIO(base64.b64decode(data, validate=True))
        with open_picture(content, 'mask') as image:
            if image.size != size:
                raise ValueError(f'it has {image.size} pixels, its corners are {size} apart')
            mask = np.asarray(image)
    except (binascii.Error, ValueError, OSError, SyntaxError) as error:
        raise InvalidMask('mask', f'its PNG cannot be used: {error}') from error
    if mask.ndim != 2:
        raise InvalidMask('mask', f'its PNG is no grey picture: {mask.shape}')
    return mask
