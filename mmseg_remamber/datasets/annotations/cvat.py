# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""``CVAT for images 1.1``: annotations.xml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from mmseg_remamber.datasets.masks import InvalidMask

from .files import picture_size
from .objects import MarkedObject, MarkedPicture, read_mask, unite_parts
from .pictures import Picture, PictureFolder
from .report import Report
from .shapes import ellipse, place_mask, polygon, rectangle, runs_to_mask, turned_rectangle

SHAPES = ('polygon', 'box', 'mask', 'ellipse')
_WITHOUT_AREA = ('polyline', 'points', 'cuboid', 'skeleton')


@dataclass
class _Element:
    """An element of XML, and the line that it begins in."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list['_Element'] = field(default_factory=list)


def read_cvat(path: Path, folder: PictureFolder, report: Report) -> dict[str, MarkedPicture]:
    """Read an export of CVAT in the format ``CVAT for images 1.1``.

    Shapes of one label and one ``group_id`` are one object, every other shape is an object of its
    own. Objects have no names but their labels. Tags of whole pictures are no objects.

    Args:
        path: annotations.xml, or the folder that has it.
        folder: The pictures.
        report: Gets what cannot be used.

    Returns:
        Name of a picture in the folder -> its objects.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no such export, or has a DTD.
    """
    path = path / 'annotations.xml' if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f'no file {path}')
    root = _parse(path)
    if root.tag != 'annotations':
        raise ValueError(f'{path} is no export of CVAT: its root is <{root.tag}>')
    tracks = [child for child in root.children if child.tag == 'track']
    if tracks:
        raise ValueError(
            f'{path}:{tracks[0].line}: tracks of a video: export as "CVAT for images 1.1"'
        )
    pictures: dict[str, MarkedPicture] = {}
    seen: set[str] = set()
    for image in (child for child in root.children if child.tag == 'image'):
        place = f'{path}:{image.line}'
        try:
            name = folder.find(image.attributes.get('name', ''))
            sides = [_whole(image.attributes.get(key)) for key in ('width', 'height')]
            size = picture_size(*sides)
        except (LookupError, ValueError) as error:
            report.bad(place, str(error.args[0]))
            continue
        if name in seen:
            report.bad(place, f'{name} is the picture of an earlier image')
            continue
        seen.add(name)
        picture = folder.open(name, place, size, report)
        if picture is not None:
            pictures[name] = MarkedPicture(picture, _read_objects(image, path, picture, report))
    return pictures


def _parse(path: Path) -> _Element:
    """Parse XML -> its root.

    Raises:
        ValueError: It is none, or has a DTD, which no export has and which can make much of little.
    """
    parser = expat.ParserCreate()
    top = _Element('', {}, 0)
    open_elements = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = _Element(tag, attributes, parser.CurrentLineNumber)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(tag: str) -> None:
        open_elements.pop()

    def refuse(*declaration: object) -> None:
        raise ValueError(f'{path}:{parser.CurrentLineNumber}: it has a DTD; refused')

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise ValueError(f'{path}:{error.lineno}: it is no XML: {error}') from error
    return top.children[0]


def _read_objects(
    image: _Element, path: Path, picture: Picture, report: Report
) -> list[MarkedObject]:
    groups: dict[tuple, list[int]] = {}
    shapes, masks = [], []
    for shape in image.children:
        place = f'{path}:{shape.line}'
        if shape.tag in _WITHOUT_AREA:
            report.bad(place, f'a {shape.tag} has no area; those that have are {SHAPES}')
        elif shape.tag not in SHAPES:
            continue  # tags of the whole picture
        group = shape.attributes.get('group_id', '0')
        label = shape.attributes.get('label', '').strip()
        key = (len(shapes),) if group in ('', '0') else (label, group)
        groups.setdefault(key, []).append(len(shapes))
        shapes.append(shape)
        masks.append(
            read_mask(lambda s=shape: _outline(s, picture), picture, place, report)
            if shape.tag in SHAPES
            else None
        )
    return [
        MarkedObject(
            label=shapes[members[0]].attributes.get('label', '').strip(),
            name='',
            segmentation=unite_parts([masks[member] for member in members], picture),
            place=f'{path}:{shapes[members[0]].line}',
        )
        for members in groups.values()
    ]


def _outline(shape: _Element, picture: Picture) -> dict | list:
    """Mask of a shape, not checked.

    Raises:
        InvalidMask: It is damaged.
    """
    attributes, size = shape.attributes, (picture.width, picture.height)
    if shape.tag == 'polygon':
        points = [point.split(',') for point in attributes.get('points', '').split(';') if point]
        if any(len(point) != 2 for point in points):
            raise InvalidMask('polygon', f'points must be x,y;x,y;..., got {attributes["points"]}')
        return polygon([(_number(x, 'x'), _number(y, 'y')) for x, y in points])
    if shape.tag == 'mask':
        left, top, width, height = (
            int(_get(attributes, key)) for key in ('left', 'top', 'width', 'height')
        )
        # before memory is taken for it
        if not (0 < width <= picture.width and 0 < height <= picture.height):
            raise InvalidMask('mask outside the image', f'{width} x {height} in {size}')
        try:
            runs = [int(run) for run in attributes.get('rle', '').split(',')]
        except ValueError as error:
            raise InvalidMask('run lengths', str(error)) from error
        return place_mask(runs_to_mask(runs, width, height), left, top, *size)
    degrees = _get(attributes, 'rotation') if 'rotation' in attributes else 0.0
    if shape.tag == 'ellipse':
        centre, radii = (
            tuple(_get(attributes, key) for key in keys) for keys in (('cx', 'cy'), ('rx', 'ry'))
        )
        return ellipse(centre, radii, degrees, *size)
    corners = tuple(_get(attributes, key) for key in ('xtl', 'ytl', 'xbr', 'ybr'))
    return turned_rectangle(corners, degrees, *size) if degrees else rectangle(*corners)


def _get(attributes: Mapping[str, str], key: str) -> float:
    if key not in attributes:
        raise InvalidMask('no number', f'{key} is missing')
    return _number(attributes[key], key)


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidMask('wrong type', f'{what} must be a number, got {text!r}') from error
    if value - value != 0:
        raise InvalidMask('wrong type', f'{what} must be finite, got {text!r}')
    return value


def _whole(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdecimal() else text
