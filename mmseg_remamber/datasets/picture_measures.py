# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Figures of a picture that tell kinds of pictures apart, whatever its size and its file format."""

import cv2
import numpy as np

_LONGEST_SIDE = 80  # larger pictures are made this small, so that grain and file format matter less
_STRONG, _LEAST_CHROMA = 0.6, 30  # saturation, and levels of 255 below which it is noise
_SAME_TINT, _SAME_LIGHT = 24, 24  # levels that noise and JPEG may change
_LEAST_GROUND = 0.1


def strong_colour(image: np.ndarray) -> float:
    """Share of the pixels that are of a strong colour, whether light or dark.

    Args:
        image: (H, W, 3) uint8 BGR.

    Returns:
        In [0, 1].
    """
    return float(_strong(_small(image)).mean())


def uneven_ground(image: np.ndarray) -> float:
    """Share of the ground, all that is not of a strong colour, that is no even ground: pixels of
    another tint than most of it, and places where its lightness changes at once.

    Args:
        image: (H, W, 3) uint8 BGR.

    Returns:
        In [0, 1]; 1 where the ground is less than a tenth of the picture.
    """
    image = _small(image)
    # the edges of shapes are no ground
    beside = cv2.dilate(_strong(image).astype(np.uint8), np.ones((5, 5), np.uint8))
    ground = beside == 0
    if ground.mean() < _LEAST_GROUND:
        return 1.0
    smooth = cv2.medianBlur(image, 5).astype(np.float32)
    tint = smooth[..., [0, 2]] - smooth[..., [1]]
    is_odd = np.abs(tint - np.median(tint[ground], axis=0)).max(axis=-1) > _SAME_TINT
    light, around = smooth.mean(axis=-1), np.ones((3, 3), np.uint8)
    steps = cv2.dilate(light, around) - cv2.erode(light, around)
    return float((is_odd | (steps > _SAME_LIGHT))[ground].mean())


MEASURES = {measure.__name__: measure for measure in (strong_colour, uneven_ground)}


def _small(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    shrink = _LONGEST_SIDE / max(height, width)
    if shrink < 1:
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(image)


def _strong(image: np.ndarray) -> np.ndarray:
    """-> (h, w) bool"""
    image = cv2.medianBlur(image, 3).astype(np.int32)
    highest = image.max(axis=-1)
    chroma = highest - image.min(axis=-1)
    return (chroma >= _STRONG * highest) & (chroma > _LEAST_CHROMA)
