# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws masks on their picture with the sentences below it.

Importing this module does not import matplotlib, which writes the text: the first picture does.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from .marks import Badge, LegendEntry
from .painting import check_sizes, greyed, outline, paint_errors, split_errors
from .palette import MASK_COLOURS, MISSED_COLOUR, WRONG_COLOUR

_SMALLEST, _LARGEST = 480, 1600  # pixels of a drawn picture's longer side
_THINNEST = 16  # pixels of its shorter side
_CONTRAST = 0.5  # of what is greyed


def draw_masks(
    image: np.ndarray, masks: Sequence[np.ndarray], captions: Sequence[str]
) -> np.ndarray:
    """Show what several sentences mean in one picture.

    The objects keep their colours and the rest is greyed; each mask is outlined in a colour of its
    own and numbered, and below the picture is what it shows. A small picture is enlarged and a
    large one reduced, so that the text is legible; masks of one pixel stay visible.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: (H, W) bool each.
        captions: One a mask, in any script.

    Returns:
        (h, w, 3) uint8 RGB, its size that of the enlarged or reduced picture with the captions.

    Raises:
        ValueError: A mask and the image differ in size, or masks and captions in number.
    """
    if len(masks) != len(captions):
        raise ValueError(f'{len(masks)} masks have {len(captions)} captions')
    check_sizes(image, masks)
    picture = _at_drawn_size(image)
    masks = [_mask_at(mask, picture.shape[:2]) for mask in masks]
    colours = [MASK_COLOURS[i % len(MASK_COLOURS)] for i in range(len(masks))]
    if masks:
        objects = np.logical_or.reduce(masks)[..., None]
        picture = np.where(objects, picture, greyed(picture, contrast=_CONTRAST))
    for later, mask, colour in zip(reversed(range(len(masks))), masks, colours, strict=True):
        picture = outline(picture, mask, colour, extra=2 * later)
    numbered = len(masks) > 1
    badges = [
        Badge(str(number), _inside(mask), colour)
        for number, (mask, colour) in enumerate(zip(masks, colours, strict=True), 1)
        if numbered and mask.any()
    ]
    legend = [
        LegendEntry(f'{number}. {caption}' if numbered else caption, colour)
        for number, (caption, colour) in enumerate(zip(captions, colours, strict=True), 1)
    ]
    return _with_legend(picture, legend, badges)


def draw_errors(
    image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, text: str
) -> np.ndarray:
    """Compare with the truth: what is found, missed, and found but not meant, each in a colour.

    The truth is outlined in the colour of what is missed, the prediction in that of what is wrong.

    Args:
        image: (H, W, 3) uint8 RGB.
        truth, prediction: (H, W) bool.
        text: The sentence.

    Returns:
        (h, w, 3) uint8 RGB, its size as in :func:`draw_masks`.

    Raises:
        ValueError: A mask and the image differ in size.
    """
    check_sizes(image, (truth, prediction))
    picture = greyed(_at_drawn_size(image), contrast=_CONTRAST)
    shown_truth, shown_prediction = (
        _mask_at(mask, picture.shape[:2]) for mask in (truth, prediction)
    )
    picture = paint_errors(picture, shown_truth, shown_prediction)
    picture = outline(picture, shown_truth, MISSED_COLOUR)
    picture = outline(picture, shown_prediction, WRONG_COLOUR)
    union = (truth | prediction).sum()
    iou = f'{100 * (truth & prediction).sum() / union:.1f} %' if union else 'both are empty'
    legend = [LegendEntry(f'"{text}"'), LegendEntry(f'IoU: {iou}')]
    for name, area, colour in split_errors(truth, prediction):
        legend.append(LegendEntry(f'{name}: {area.sum()} pixels', colour))
    return _with_legend(picture, legend)


def draw_caption(image: np.ndarray, text: str) -> np.ndarray:
    """Draw a picture without a mask and a sentence below it; size as in :func:`draw_masks`."""
    return _with_legend(_at_drawn_size(image), [LegendEntry(text)])


def _with_legend(
    picture: np.ndarray, legend: Sequence[LegendEntry], badges: Sequence[Badge] = ()
) -> np.ndarray:
    # imports matplotlib, which neither training nor a server should wait for at its start
    from .legend import add_legend

    return add_legend(picture, legend, badges)


def _at_drawn_size(image: np.ndarray) -> np.ndarray:
    """Enlarge by a whole number or reduce. (H, W, 3) uint8 -> (h, w, 3) uint8"""
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer > _LARGEST:
        scale, method = _LARGEST / longer, cv2.INTER_AREA
    else:
        scale, method = max(1, -(-_SMALLEST // longer)), cv2.INTER_NEAREST
    size = [max(round(side * scale), _THINNEST) for side in (width, height)]
    return cv2.resize(np.ascontiguousarray(image), size, interpolation=method)


def _mask_at(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a mask; one too small for any pixel keeps those it touches. (H, W) -> (h, w) bool"""
    height, width = size
    share = cv2.resize(
        mask.astype(np.float32), (width, height),
        interpolation=cv2.INTER_AREA if mask.shape[0] > height or mask.shape[1] > width
        else cv2.INTER_NEAREST,
    )  # fmt: skip
    shown = share >= 0.5
    return shown if shown.any() else share > 0


def _inside(mask: np.ndarray) -> tuple[int, int]:
    """Find (x, y) of the pixel farthest from the mask's border."""
    distance = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(distance.argmax(), mask.shape)
    return int(x), int(y)
