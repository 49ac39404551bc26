# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks in COCO's form, from the shapes that annotation tools draw.

Outlines become polygons wherever they can, and pycocotools decides which pixels those cover.
"""

from collections.abc import Sequence
from math import acos, ceil, cos, isfinite, pi, radians, sin

import numpy as np
from pycocotools import mask as coco_mask

from mmseg_remamber.datasets.masks import InvalidMask, decode_mask

Point = Sequence[float]
_SAGITTA = 0.05  # pixels by which a chord may miss the ellipse that it stands for


def encode(mask: np.ndarray) -> dict:
    """Encode a mask.

    Args:
        mask: (H, W), not 0 where the object is.

    Returns:
        RLE: ``size``, ``counts`` (str).
    """
    rle = coco_mask.encode(np.asfortranarray(mask != 0, dtype=np.uint8))
    return dict(size=list(mask.shape), counts=rle['counts'].decode('ascii'))


def polygon(points: Sequence[Point]) -> list[list[float]]:
    """Outline -> polygons of COCO, one of them."""
    return [[float(value) for point in points for value in point]]


def rectangle(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    """Two opposite corners -> polygons of COCO, one of them."""
    return polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def turned_rectangle(
    corners: tuple[float, float, float, float], degrees: float, width: int, height: int
) -> list[list[float]]:
    """Rectangle turned clockwise about its centre, what lies in the picture of it.

    Args:
        corners: x0, y0, x1, y1 before it is turned.
        degrees: Angle.
        width, height: The picture's.
    """
    x0, y0, x1, y1 = corners
    cx, cy, a, b = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    points = [(-a, -b), (a, -b), (a, b), (-a, b)]
    return _within(_turn(points, cx, cy, degrees), width, height)


def ellipse(
    centre: Point, radii: Point, degrees: float, width: int, height: int
) -> list[list[float]]:
    """Ellipse, what lies in the picture of it, as a polygon that misses it by 0.05 pixels at most.

    Args:
        centre: x, y.
        radii: Of both half axes before it is turned, above 0.
        degrees: Angle clockwise about the centre.
        width, height: The picture's.

    Raises:
        InvalidMask: Radii that are not positive, or nothing of it in the picture.
    """
    rx, ry = radii
    if not (0 < rx < 1e6 and 0 < ry < 1e6):
        raise InvalidMask('ellipse', f'radii must be above 0 and below a million, got {rx}, {ry}')
    largest = max(rx, ry)
    corners = max(16, ceil(pi / acos(max(0.0, 1 - _SAGITTA / largest))))
    angles = [2 * pi * i / corners for i in range(corners)]
    points = [(rx * cos(angle), ry * sin(angle)) for angle in angles]
    return _within(_turn(points, *centre, degrees), width, height)


def runs_to_mask(runs: Sequence[int], width: int, height: int) -> np.ndarray:
    """Decode lengths of runs along rows, the first of them background.

    Returns:
        (height, width) bool.

    Raises:
        InvalidMask: They do not fill it.
    """
    if any(run < 0 for run in runs) or sum(runs) != width * height:
        raise InvalidMask(
            'run lengths', f'they do not fill {width} x {height} pixels, their sum is {sum(runs)}'
        )
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)


def place_mask(mask: np.ndarray, left: int, top: int, width: int, height: int) -> dict:
    """Put a mask of a part of a picture into the whole -> RLE.

    Args:
        mask: (h, w), not 0 where the object is.
        left, top: Where its first pixel lies.
        width, height: The picture's.

    Raises:
        InvalidMask: It reaches out of the picture.
    """
    h, w = mask.shape
    if left < 0 or top < 0 or left + w > width or top + h > height:
        raise InvalidMask(
            'mask outside the image',
            f'x {left} to {left + w}, y {top} to {top + h}, the image is {width}x{height}',
        )
    whole = np.zeros((height, width), bool)
    whole[top : top + h, left : left + w] = mask != 0
    return encode(whole)


def unite(parts: Sequence[dict | list], height: int, width: int) -> dict | list:
    """Unite checked masks: polygons stay what they are, anything else becomes one RLE."""
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, list) for part in parts):
        return [outline for part in parts for outline in part]
    covered = np.zeros((height, width), np.uint8)
    for part in parts:
        covered |= decode_mask(part, height, width)
    return encode(covered)


def _turn(points: Sequence[Point], cx: float, cy: float, degrees: float) -> list[Point]:
    """Turn points about the origin, clockwise as y points down, and move it to a centre."""
    if not all(isfinite(value) for value in (cx, cy, degrees)):
        raise InvalidMask('wrong number', f'centre {cx}, {cy}, angle {degrees}')
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return [(cx + c * x - s * y, cy + s * x + c * y) for x, y in points]


def _within(points: list[Point], width: int, height: int) -> list[list[float]]:
    """Clip a convex outline to a picture, one side of it after the other."""
    for axis, bound, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        kept: list[Point] = []
        for p, q in zip(points, points[1:] + points[:1]):
            before, after = sign * (p[axis] - bound), sign * (q[axis] - bound)
            if before >= 0:
                kept.append(p)
            if before * after < 0:
                share = before / (before - after)
                kept.append(tuple(a + share * (b - a) for a, b in zip(p, q)))
        points = kept
    if len(points) < 3:
        raise InvalidMask('shape outside the image', f'the image is {width}x{height}')
    return polygon(points)
