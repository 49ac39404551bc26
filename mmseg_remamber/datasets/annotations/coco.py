# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""COCO JSON: polygons, run lengths compressed or not, crowds."""

from collections.abc import Mapping
from pathlib import Path
from reprlib import repr as show
from typing import Any

from .files import picture_size, read_json
from .objects import MarkedObject, MarkedPicture, read_mask, unite_parts
from .pictures import PictureFolder
from .report import Report


def read_coco(path: Path, folder: PictureFolder, report: Report) -> dict[str, MarkedPicture]:
    """Read COCO's ``instances`` format.

    An object's own name is its annotation's ``id``, its label the name of its category.

    Args:
        path: The JSON file.
        folder: The pictures.
        report: Gets what cannot be used.

    Returns:
        Name of a picture in the folder -> its objects.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no COCO file.
    """
    content = read_json(path)
    if type(content) is not dict or not all(
        type(content.get(key)) is list for key in ('images', 'annotations')
    ):
        raise ValueError(f'{path} is no COCO file: it needs lists "images" and "annotations"')
    labels = {
        category.get('id'): category.get('name')
        for category in content.get('categories') or []
        if type(category) is dict and type(category.get('id')) in (int, str)
    }
    pictures, by_id = _read_images(path, content['images'], folder, report)
    num_lost = 0
    for position, annotation in enumerate(content['annotations'], start=1):
        place = f'{path}, annotation number {position}'
        if type(annotation) is not dict:
            report.bad(place, f'it is no object of JSON: {show(annotation)}')
            continue
        own_id = annotation.get('id')
        if type(own_id) in (int, str):
            place = f'{path}, annotation {own_id}'
        image_id = annotation.get('image_id')
        name = by_id.get(image_id) if type(image_id) in (int, str) else None
        if name is None:
            report.bad(place, f'no image has the id {show(image_id)}')
        elif name in pictures:
            marked = pictures[name]
            marked.objects.append(_read_object(annotation, labels, marked, place, report))
        else:
            num_lost += 1  # its image is told of
    if num_lost:
        report.note(f'{path}: {num_lost} annotations are on images that cannot be used')
    return pictures


def _read_images(
    path: Path, images: list, folder: PictureFolder, report: Report
) -> tuple[dict[str, MarkedPicture], dict[int | str, str]]:
    """-> pictures that can be used by name, and what each id means, usable or not"""
    pictures: dict[str, MarkedPicture] = {}
    by_id: dict[int | str, str] = {}
    seen: set[str] = set()
    for position, image in enumerate(images, start=1):
        place = f'{path}, image number {position}'
        if type(image) is not dict or type(image.get('id')) not in (int, str):
            report.bad(place, f'it has no id: {show(image)}')
            continue
        place = f'{path}, image {image["id"]}'
        if image['id'] in by_id:
            report.bad(place, f'the id is that of {by_id[image["id"]]} too')
            continue
        by_id[image['id']] = show(image.get('file_name'))
        try:
            if type(image.get('file_name')) is not str:
                raise ValueError(f'file_name is no text: {show(image.get("file_name"))}')
            name = folder.find(image['file_name'])
            size = picture_size(image.get('width'), image.get('height'))
        except (LookupError, ValueError) as error:
            report.bad(place, _message(error))
            continue
        by_id[image['id']] = name
        if name in seen:
            report.bad(place, f'{name} is the picture of an earlier image')
            continue
        seen.add(name)
        picture = folder.open(name, place, size, report)
        if picture is not None:
            pictures[name] = MarkedPicture(picture)
    return pictures, by_id


def _read_object(
    annotation: Mapping[str, Any],
    labels: Mapping[int | str, Any],
    marked: MarkedPicture,
    place: str,
    report: Report,
) -> MarkedObject:
    category, own_id = annotation.get('category_id'), annotation.get('id')
    label = labels.get(category) if type(category) in (int, str) else None
    segmentation = read_mask(
        lambda: annotation.get('segmentation') or [], marked.picture, place, report
    )
    return MarkedObject(
        label=label.strip() if type(label) is str else '',
        name=str(own_id) if type(own_id) in (int, str) else '',
        segmentation=unite_parts([segmentation], marked.picture),
        place=place,
        crowd=annotation.get('iscrowd') in (1, True),
    )


def _message(error: Exception) -> str:
    return str(error.args[0])
