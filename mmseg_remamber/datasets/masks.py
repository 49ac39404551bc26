# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks in COCO's form: one set of rules for what is valid, and decoding by pycocotools.

The loader of annotations, the transform and the inspection of downloads all come here, so that
what one of them takes the others take. pycocotools checks next to nothing: it takes a polygon of
two points for a box, leaves undefined what short run lengths do not reach, and reads on past the
end of a cut string.

A segmentation is

- a list of polygons ``[x, y, x, y, ...]`` in pixels, each of three points or more, all of them
  finite and at most :data:`TOLERANCE` beyond the image;
- or an RLE: a dict of ``size``, ``[height, width]`` of the image, and ``counts``, lengths of at
  least 0 that sum to ``height * width``, as a list of int, or compressed as str or bytes;
- or a list of RLEs, as RefCLEF has it, which stands for their union.
"""

from collections.abc import Sequence
from math import isfinite
from reprlib import repr as show  # short, however large the value
from typing import NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

# Pixels that a polygon may reach beyond its image. COCO's own polygons end on its border; those
# of converters that count from 1, or to the far side of the last pixel, end within one of it.
TOLERANCE = 1.0
_NUMBERS = {int, float}


class InvalidMask(ValueError):
    """A mask that cannot be used.

    Attributes:
        reason: The kind of problem, the same for every mask that has it.
        detail: Which mask it is, and what is wrong with it.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f'{reason}: {detail}')
        self.reason = reason
        self.detail = detail


def check_mask(
    segmentation: dict | list, height: int, width: int, name: str = 'mask'
) -> dict | list:
    """Check that a mask can be decoded, is that of an image of this size, and covers a pixel.

    Args:
        segmentation: In any of the forms above.
        height, width: The image's.
        name: What messages call it.

    Returns:
        The list of polygons, or one RLE: the union where there are several.

    Raises:
        InvalidMask: Says why it cannot be used.
    """
    parts = _parts(segmentation, name)
    if _are_rles(parts):
        covered = 0
        for rle in parts:
            covered += _check_rle(rle, height, width, name)
        if not covered:
            raise InvalidMask('empty mask', f'{name} covers no pixel')
        if len(parts) == 1:
            return parts[0]
        united = coco_mask.merge([_compress(rle, height, width) for rle in parts])
        return dict(size=[height, width], counts=united['counts'].decode('ascii'))
    extents = [_check_polygon(polygon, height, width, name) for polygon in parts]
    # thinner than a pixel on average: too thin to be sure of one without looking
    if all(e.area < 1 + e.width + e.height for e in extents):
        rles = coco_mask.frPyObjects(parts, height, width)
        if not coco_mask.area(coco_mask.merge(rles)):
            raise InvalidMask('empty mask', f'{name} covers no pixel')
    return parts


def decode_mask(
    segmentation: dict | list, height: int, width: int, name: str = 'mask'
) -> np.ndarray:
    """Decode the mask of one object, all of its parts united.

    Args:
        segmentation, height, width, name: As :func:`check_mask` takes them.

    Returns:
        (height, width) uint8 in {0, 1}; without any 1 where no pixel is covered, which
        :func:`check_mask` refuses.

    Raises:
        InvalidMask: Says why it cannot be decoded.
    """
    return coco_mask.decode(_encode(segmentation, height, width, name))


def unite_masks(
    segmentations: Sequence[dict | list],
    height: int,
    width: int,
    name: str = 'mask',
    *,
    refuse_empty: bool = False,
) -> np.ndarray:
    """Decode the masks of several objects and unite them.

    Args:
        segmentations: Of each object, as :func:`check_mask` takes it.
        height, width, name: As :func:`check_mask` takes them.
        refuse_empty: Whether an object that covers no pixel is an error.

    Returns:
        (height, width) uint8 in {0, 1}; all zeros of no object.

    Raises:
        InvalidMask: Says why one cannot be decoded, or (when ``refuse_empty``) that it is empty.
    """
    rles = [_encode(segmentation, height, width, name) for segmentation in segmentations]
    if refuse_empty and not all(coco_mask.area(rle) for rle in rles):
        raise InvalidMask('empty mask', f'{name} covers no pixel')
    if not rles:
        return np.zeros((height, width), np.uint8)
    return coco_mask.decode(rles[0] if len(rles) == 1 else coco_mask.merge(rles))


def read_runs(counts: str | bytes) -> np.ndarray:
    """Decompress COCO's run lengths -> (n,) int64, of which none is checked.

    Each number is written in groups of five bits, low group first, in two's complement, each
    group plus 48, the sixth bit saying that more follow; from the fourth number on it is the
    difference from the one two before (cocoapi, maskApi.c, rleToString).

    Raises:
        ValueError: It is no such text.
    """
    try:
        text = counts.encode('ascii') if isinstance(counts, str) else counts
    except UnicodeEncodeError as e:
        raise ValueError(f'RLE counts have the character {counts[e.start]!r}') from e
    digits = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if not len(digits):
        raise ValueError('RLE counts are empty')
    wrong = np.flatnonzero((digits < 0) | (digits > 63))
    if len(wrong):
        raise ValueError(f'RLE counts have the character {chr(text[wrong[0]])!r}')
    if digits[-1] & 32:
        raise ValueError('RLE counts end within a number')
    ends = np.flatnonzero(digits & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 6:  # 30 bits are more than any image has pixels
        raise ValueError('RLE counts have a number of more than 30 bits')
    place = np.arange(len(digits)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((digits & 31) << (5 * place), starts)
    numbers -= np.where(digits[ends] & 16, 1 << (5 * lengths), 0)  # sign
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _parts(segmentation: dict | list, name: str) -> list:
    """List the polygons or RLEs, at least one; none of them is checked."""
    parts = [segmentation] if type(segmentation) is dict else segmentation
    if type(parts) is not list or not parts:
        raise InvalidMask('no mask', f'{name} has no mask: {show(parts)}')
    return parts


def _are_rles(parts: list) -> bool:
    """Whether all parts are RLEs; a dict beside polygons is a polygon of a wrong type."""
    return all(type(part) is dict for part in parts)


def _encode(segmentation: dict | list, height: int, width: int, name: str) -> dict:
    """Check and encode the mask of one object -> one compressed RLE, possibly of no pixel."""
    parts = _parts(segmentation, name)
    if _are_rles(parts):
        for rle in parts:
            _check_rle(rle, height, width, name)
        rles = [_compress(rle, height, width) for rle in parts]
    else:
        for polygon in parts:
            _check_polygon(polygon, height, width, name)
        rles = coco_mask.frPyObjects(parts, height, width)
    return rles[0] if len(rles) == 1 else coco_mask.merge(rles)


class _Extent(NamedTuple):
    """Size of a polygon, in pixels."""

    width: float
    height: float
    area: float


def _check_polygon(polygon: list, height: int, width: int, name: str) -> _Extent:
    if type(polygon) is not list or not set(map(type, polygon)) <= _NUMBERS:
        raise InvalidMask('wrong type', f'{name}: a polygon is a list of numbers, {show(polygon)}')
    if len(polygon) < 6 or len(polygon) % 2:  # four numbers would be read as a box
        raise InvalidMask(
            'polygon', f'{name}: three points or more expected, got {len(polygon)} numbers'
        )
    xs, ys = polygon[0::2], polygon[1::2]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    # also bounds what pycocotools, which walks along the outline, has to walk
    inside = (
        left >= -TOLERANCE
        and top >= -TOLERANCE
        and right <= width + TOLERANCE
        and bottom <= height + TOLERANCE
    )
    if not inside or not isfinite(sum(polygon)):  # NaN passes min and max, not the sum
        raise InvalidMask(
            'polygon outside the image',
            f'{name}: x {left} to {right}, y {top} to {bottom}, the image is {width}x{height}',
        )
    doubled = sum(x * v - u * y for x, y, u, v in zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1]))
    return _Extent(right - left, bottom - top, abs(doubled) / 2)


def _check_rle(rle: dict, height: int, width: int, name: str) -> int:
    """Check an RLE -> number of pixels that it covers"""
    size, counts = rle.get('size'), rle.get('counts')
    if size != [height, width]:
        raise InvalidMask(
            'RLE of another size', f'{name}: {show(size)}, the image {[height, width]}'
        )
    if type(counts) in (str, bytes):
        try:
            runs = read_runs(counts)
        except ValueError as e:
            raise InvalidMask('RLE', f'{name}: {e}') from e
    elif type(counts) is list and all(type(count) is int for count in counts):
        runs = np.array(counts, dtype=object)  # of any size, so that none overflows
    else:
        raise InvalidMask('wrong type', f'{name}: RLE counts are {show(counts)}')
    if (runs < 0).any() or runs.sum() != height * width:
        raise InvalidMask(
            'RLE',
            f'{name}: counts do not fill {height}x{width} pixels, their sum is {runs.sum()}',
        )
    return int(runs[1::2].sum())


def _compress(rle: dict, height: int, width: int) -> dict:
    """Convert a checked RLE of any form -> one with compressed counts"""
    return coco_mask.frPyObjects(rle, height, width) if type(rle['counts']) is list else rle
