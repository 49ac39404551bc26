# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks on their picture with the sentences below it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from .palette import (
    FOUND_COLOUR,
    MASK_COLOURS,
    MISSED_COLOUR,
    WRONG_COLOUR,
    Colour,
    ink_on,
    to_unit,
)
from .text import make_drawable, wrap_text

_SMALLEST, _LARGEST = 480, 1600  # pixels of a drawn picture's longer side
_THINNEST = 16  # pixels of its shorter side
_MAX_LINES = 6  # of one entry below the picture
_DPI = 72  # makes a point a pixel


@dataclass(frozen=True)
class LegendEntry:
    """A line below the picture. colour: of the square before it, None is no square."""

    text: str
    colour: Colour | None = None


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
        captions: one a mask, in any script.

    Returns:
        (h, w, 3) uint8 RGB, its size that of the enlarged or reduced picture with the captions.

    Raises:
        ValueError: when a mask and the image differ in size, or masks and captions in number.
    """
    if len(masks) != len(captions):
        raise ValueError(f'{len(masks)} masks have {len(captions)} captions')
    _check_sizes(image, masks)
    picture = _at_drawn_size(image)
    masks = [_mask_at(mask, picture.shape[:2]) for mask in masks]
    colours = [MASK_COLOURS[i % len(MASK_COLOURS)] for i in range(len(masks))]
    if masks:
        rest = ~np.logical_or.reduce(masks)
        picture[rest] = _greyed(picture)[rest]
    for remaining, mask, colour in zip(reversed(range(len(masks))), masks, colours, strict=True):
        _outline(picture, mask, colour, extra=2 * remaining)
    numbered = len(masks) > 1
    badges = [
        (str(number), _inside(mask), colour)
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
        text: the sentence.

    Returns:
        (h, w, 3) uint8 RGB, its size as in :func:`draw_masks`.

    Raises:
        ValueError: when a mask and the image differ in size.
    """
    _check_sizes(image, (truth, prediction))
    union = (truth | prediction).sum()
    iou = f'{100 * (truth & prediction).sum() / union:.1f} %' if union else 'both are empty'
    picture = _greyed(_at_drawn_size(image))
    size = picture.shape[:2]
    shown_truth, shown_prediction = _mask_at(truth, size), _mask_at(prediction, size)
    parts = (
        ('found', shown_truth & shown_prediction, truth & prediction, FOUND_COLOUR),
        ('missed', shown_truth & ~shown_prediction, truth & ~prediction, MISSED_COLOUR),
        ('not meant', shown_prediction & ~shown_truth, prediction & ~truth, WRONG_COLOUR),
    )
    legend = [LegendEntry(f'"{text}"'), LegendEntry(f'IoU: {iou}')]
    for name, shown, part, colour in parts:
        picture[shown] = (0.35 * picture[shown] + 0.65 * np.asarray(colour)).round()
        legend.append(LegendEntry(f'{name}: {part.sum()} pixels', colour))
    _outline(picture, shown_truth, MISSED_COLOUR)
    _outline(picture, shown_prediction, WRONG_COLOUR)
    return _with_legend(picture, legend)


def draw_caption(image: np.ndarray, text: str) -> np.ndarray:
    """A picture without a mask and a sentence below it; size as in :func:`draw_masks`."""
    return _with_legend(_at_drawn_size(image), [LegendEntry(text)])


def _check_sizes(image: np.ndarray, masks: Sequence[np.ndarray]) -> None:
    for mask in masks:
        if mask.shape != image.shape[:2]:
            raise ValueError(f'mask is {mask.shape}, the image {image.shape[:2]}')


def _at_drawn_size(image: np.ndarray) -> np.ndarray:
    """Enlarge by a whole number or reduce. (H, W, 3) uint8 -> (h, w, 3) uint8, a copy"""
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer > _LARGEST:
        scale, method = _LARGEST / longer, cv2.INTER_AREA
    else:
        scale, method = max(1, -(-_SMALLEST // longer)), cv2.INTER_NEAREST
    size = [max(round(side * scale), _THINNEST) for side in (width, height)]
    return cv2.resize(np.ascontiguousarray(image), size, interpolation=method)


def _mask_at(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool -> (h, w) bool; what is too small for any pixel keeps those that it touches."""
    height, width = size
    share = cv2.resize(
        mask.astype(np.float32), (width, height),
        interpolation=cv2.INTER_AREA if mask.shape[0] > height or mask.shape[1] > width
        else cv2.INTER_NEAREST,
    )  # fmt: skip
    shown = share >= 0.5
    return shown if shown.any() else share > 0


def _greyed(picture: np.ndarray) -> np.ndarray:
    """Grey, and half as much contrast, towards white."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.repeat((127 + grey // 2)[..., None], 3, axis=2).astype(np.uint8)


def _outline(picture: np.ndarray, mask: np.ndarray, colour: Colour, *, extra: int = 0) -> None:
    """Draw a mask's border, between black lines that set it off from any colour.

    extra: pixels that it is wider, up to 8, so that it shows beside one drawn over it later.
    """
    thickness = max(2, round(max(mask.shape) / 320)) + min(extra, 8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, contours, -1, (0, 0, 0), thickness + 2, cv2.LINE_AA)
    cv2.drawContours(picture, contours, -1, colour, thickness, cv2.LINE_AA)


def _inside(mask: np.ndarray) -> tuple[int, int]:
    """(x, y) of the pixel farthest from the mask's border."""
    distance = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(distance.argmax(), mask.shape)
    return int(x), int(y)


def _with_legend(
    picture: np.ndarray,
    legend: Sequence[LegendEntry],
    badges: Sequence[tuple[str, tuple[int, int], Colour]] = (),
) -> np.ndarray:
    """Put the legend below a picture and the badges on it. (h, w, 3) uint8 -> (h', w', 3) uint8"""
    height, picture_width = picture.shape[:2]
    width = max(picture_width, _SMALLEST)
    font_size = min(max(width / 36, 15), 34)  # pixels
    line, margin = round(1.35 * font_size), round(0.6 * font_size)
    indent = margin + round(1.4 * font_size)  # of text beside a square
    rows = _rows(legend, font_size, width - indent - margin)
    total = height + 2 * margin + line * sum(len(lines) for lines, _, _ in rows)

    figure = Figure(figsize=(width / _DPI, total / _DPI), dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    figure.figimage(picture, 0, total - height, origin='upper')
    taken: list[tuple[int, int]] = []
    for text, (x, y), colour in badges:
        while any(max(abs(x - i), abs(y - j)) < 2 * font_size for i, j in taken):
            x += round(2 * font_size)  # beside that of a mask in the same place
        taken.append((x, y))
        figure.text(
            x / width, 1 - y / total, text, fontsize=font_size, ha='center', va='center',
            color=ink_on(colour),
            bbox=dict(boxstyle='circle,pad=0.25', facecolor=to_unit(colour), edgecolor='black'),
        )  # fmt: skip
    top = height + margin
    for lines, families, colour in rows:
        left = margin if colour is None else indent
        if colour is not None:
            side = 0.8 * font_size
            low = total - top - (line + side) / 2
            figure.add_artist(
                Rectangle(
                    (margin / width, low / total), side / width, side / total,
                    facecolor=to_unit(colour), edgecolor='black', linewidth=1,
                )
            )  # fmt: skip
        for text in lines:
            # the baseline, so that all lines are equally far apart
            figure.text(
                left / width, 1 - (top + line / 2 + 0.36 * font_size) / total, text,
                fontsize=font_size, family=families, va='baseline', parse_math=False,
            )  # fmt: skip
            top += line
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _rows(
    legend: Sequence[LegendEntry], font_size: float, width: float
) -> list[tuple[list[str], tuple[str, ...], Colour | None]]:
    """Lines, fonts and colour of each entry; a last one where characters had to be spelt out."""
    renderer = RendererAgg(1, 1, _DPI)
    entries = [(make_drawable(entry.text), entry.colour) for entry in legend]
    if any(text.spelt_out for text, _ in entries):
        note = 'In brackets: characters that no installed font has (try fonts-noto-cjk).'
        entries.append((make_drawable(note), None))
    rows = []
    for text, colour in entries:
        font = FontProperties(family=text.families, size=font_size)

        def measure(string: str, font: FontProperties = font) -> float:
            return renderer.get_text_width_height_descent(string, font, ismath=False)[0]

        lines = wrap_text(text.text, measure, width, max_lines=_MAX_LINES)
        rows.append((lines, text.families, colour))
    return rows
