# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Paints masks on pictures: tints, outlines, and the errors of a prediction.

Arrays in, arrays out: nothing here needs matplotlib. Each function leaves its arguments as they
are.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from .palette import BLACK, FOUND_COLOUR, MISSED_COLOUR, WRONG_COLOUR, Colour

OPACITY = 0.65  # of a tint


def check_sizes(image: np.ndarray, masks: Sequence[np.ndarray]) -> None:
    """Check that masks are of an image's size.

    Args:
        image: (H, W, ...).
        masks: (H, W) each.

    Raises:
        ValueError: One of them is of another size.
    """
    for mask in masks:
        if mask.shape != image.shape[:2]:
            raise ValueError(f'mask is {mask.shape}, the image {image.shape[:2]}')


def greyed(image: np.ndarray, *, contrast: float = 1.0) -> np.ndarray:
    """Take the colours out of a picture, so that a tint is seen whatever colour is below it.

    Args:
        image: (H, W, 3) uint8 RGB.
        contrast: What is kept of the differences in lightness, in [0, 1]; the less, the closer
            everything is to white.

    Returns:
        (H, W, 3) uint8 RGB, of three equal channels.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    paler = 255 - contrast * (255.0 - grey)
    return np.repeat(paler.round().astype(np.uint8)[..., None], 3, axis=2)


def tint(
    picture: np.ndarray, mask: np.ndarray, colour: Colour, opacity: float = OPACITY
) -> np.ndarray:
    """Mix a colour into a picture where a mask is.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) bool.
        colour: What is mixed in.
        opacity: Its share, in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: The mask is of another size.
    """
    check_sizes(picture, [mask])
    tinted = picture.copy()
    tinted[mask] = ((1 - opacity) * picture[mask] + opacity * np.asarray(colour)).round()
    return tinted


def overlay(
    image: np.ndarray, mask: np.ndarray, colour: Colour, opacity: float = OPACITY
) -> np.ndarray:
    """Tint a mask on the greyed image; arguments and errors are those of :func:`tint`."""
    return tint(greyed(image), mask, colour, opacity)


def split_errors(
    truth: np.ndarray, prediction: np.ndarray
) -> tuple[tuple[str, np.ndarray, Colour], ...]:
    """Split two masks into what is found, missed, and found though it is not meant.

    Args:
        truth, prediction: (H, W) bool.

    Returns:
        Name, area ((H, W) bool) and colour of each; no two areas have a pixel in common.
    """
    return (
        ('found', truth & prediction, FOUND_COLOUR),
        ('missed', truth & ~prediction, MISSED_COLOUR),
        ('not meant', prediction & ~truth, WRONG_COLOUR),
    )


def paint_errors(
    picture: np.ndarray, truth: np.ndarray, prediction: np.ndarray, opacity: float = OPACITY
) -> np.ndarray:
    """Tint what :func:`split_errors` tells apart, each in its colour.

    Args:
        picture: (H, W, 3) uint8 RGB; best a greyed one.
        truth, prediction: (H, W) bool.
        opacity: Share of the colours, in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: A mask is of another size.
    """
    check_sizes(picture, (truth, prediction))
    for _, area, colour in split_errors(truth, prediction):
        picture = tint(picture, area, colour, opacity)
    return picture


def outline(picture: np.ndarray, mask: np.ndarray, colour: Colour, *, extra: int = 0) -> np.ndarray:
    """Draw a mask's border, between black lines that set it off from any colour.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) bool.
        colour: Of the border.
        extra: Pixels by which it is wider, at most 8, so that it shows beside one drawn over it
            later.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: The mask is of another size.
    """
    check_sizes(picture, [mask])
    drawn = picture.copy()
    thickness = max(2, round(max(mask.shape) / 320)) + min(extra, 8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(drawn, contours, -1, BLACK, thickness + 2, cv2.LINE_AA)
    cv2.drawContours(drawn, contours, -1, colour, thickness, cv2.LINE_AA)
    return drawn
