# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Objects of pictures, whatever tool marked them, and the names by which tables call them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mmseg_remamber.datasets.masks import InvalidMask, check_mask

from .pictures import Picture
from .report import Report, some
from .shapes import unite


@dataclass(frozen=True)
class MarkedObject:
    """An object as a tool marked it.

    Attributes:
        label: Name of its category; '' where the format has none.
        name: What its format alone calls it (COCO's id, the stem of a mask's file, the value in a
            mask); '' where it has no such name.
        segmentation: Its mask in COCO's form, on the upright picture; None where it cannot be used.
        place: Where it is annotated.
        crowd: Whether it is marked as a crowd.
    """

    label: str
    name: str
    segmentation: dict | list | None
    place: str
    crowd: bool = False


@dataclass
class MarkedPicture:
    """A picture and its objects, in the order of the file."""

    picture: Picture
    objects: list[MarkedObject] = field(default_factory=list)


def read_mask(
    segmentation: Callable[[], dict | list], picture: Picture, place: str, report: Report
) -> dict | list | None:
    """Make and check the mask of one shape.

    Args:
        segmentation: Makes it, in the picture's size as annotated.
        picture: Whose it is.
        place: Where it is annotated.
        report: Gets what is wrong with it.

    Returns:
        In COCO's form, as :func:`check_mask` returns it; None where it cannot be used.
    """
    try:
        return check_mask(segmentation(), picture.height, picture.width)
    except InvalidMask as error:
        report.bad(place, str(error))
    return None


def unite_parts(parts: Sequence[dict | list | None], picture: Picture) -> dict | list | None:
    """Unite the masks of an object's shapes and turn them upright; None where one is missing."""
    if any(part is None for part in parts):
        return None
    return picture.turn(unite(parts, picture.height, picture.width))


def names_of(objects: Sequence[MarkedObject]) -> list[str]:
    """Give each object of a picture a name that no other has: its own, ``label#2`` or ``#5``."""
    own = Counter(item.name for item in objects)
    numbers = _numbers(objects)
    return [
        item.name
        if item.name and own[item.name] == 1
        else f'{item.label}#{number}'
        if item.label
        else f'#{position}'
        for position, (item, number) in enumerate(zip(objects, numbers), start=1)
    ]


def find_object(objects: Sequence[MarkedObject], called: str) -> int:
    """Find the object that a cell of a table means.

    It may be called by its name in its format, by its label where no other object of the picture
    has it, by label and number (``dog#2``: the second dog of the picture, in the order of the
    file), by number alone (``#5``: the fifth object), or not at all where there is no other.

    Returns:
        Its index.

    Raises:
        LookupError: No object is called so, or several are; lists the names that would do.
    """
    if not objects:
        raise LookupError('nothing is annotated in this picture')
    if not called:
        if len(objects) == 1:
            return 0
        raise LookupError(f'no object is named, and there are {some(names_of(objects))}')
    found = [
        index
        for index, (item, number) in enumerate(zip(objects, _numbers(objects)))
        if called in (item.name, item.label, f'#{index + 1}')
        or (item.label and called == f'{item.label}#{number}')
    ]
    names = names_of(objects)
    if not found:
        raise LookupError(f'no object {called!r} in this picture; there are {some(names)}')
    if len(found) > 1:
        raise LookupError(
            f'object {called!r} may be each of {some(names[index] for index in found)}'
        )
    return found[0]


def _numbers(objects: Sequence[MarkedObject]) -> list[int]:
    """Count the objects of each label, from 1."""
    seen: Counter[str] = Counter()
    numbers = []
    for item in objects:
        seen[item.label] += 1
        numbers.append(seen[item.label])
    return numbers
