# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes text on and below a picture, in any script, by matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from .marks import Badge, LegendEntry
from .palette import Colour, ink_on, to_unit
from .text import make_drawable, wrap_text

_NARROWEST = 480  # pixels of a legend's width
_MAX_LINES = 6  # of one entry
_DPI = 72  # makes a point a pixel


@dataclass(frozen=True)
class _Row:
    """An entry of the legend, ready to be drawn."""

    lines: list[str]
    families: tuple[str, ...]
    colour: Colour | None


def add_legend(
    picture: np.ndarray, legend: Sequence[LegendEntry], badges: Sequence[Badge] = ()
) -> np.ndarray:
    """Put a legend below a picture, and badges on it.

    Args:
        picture: (h, w, 3) uint8 RGB.
        legend: From top to bottom; an entry too long for the width is wrapped, and after six
            lines cut.
        badges: On the picture; one that would hide another is moved to its right.

    Returns:
        (h', w', 3) uint8 RGB with the picture in its upper left corner.
    """
    height, picture_width = picture.shape[:2]
    width = max(picture_width, _NARROWEST)
    font_size = min(max(width / 36, 15), 34)  # pixels
    line, margin = round(1.35 * font_size), round(0.6 * font_size)
    indent = margin + round(1.4 * font_size)  # of text beside a square
    rows = _rows(legend, font_size, width - indent - margin)
    total = height + 2 * margin + line * sum(len(row.lines) for row in rows)

    figure = Figure(figsize=(width / _DPI, total / _DPI), dpi=_DPI, facecolor='none')
    canvas = FigureCanvasAgg(figure)
    for badge, (x, y) in zip(badges, _apart(badges, 2 * font_size), strict=True):
        figure.text(
            x / width, 1 - y / total, badge.text, fontsize=font_size, ha='center', va='center',
            color=ink_on(badge.colour),
            bbox=dict(
                boxstyle='circle,pad=0.25', facecolor=to_unit(badge.colour), edgecolor='black'
            ),
        )  # fmt: skip
    top = height + margin
    for row in rows:
        left = margin if row.colour is None else indent
        if row.colour is not None:
            side = 0.8 * font_size
            low = total - top - (line + side) / 2
            figure.add_artist(
                Rectangle(
                    (margin / width, low / total), side / width, side / total,
                    facecolor=to_unit(row.colour), edgecolor='black', linewidth=1,
                )
            )  # fmt: skip
        for text in row.lines:
            # the baseline, so that all lines are equally far apart
            figure.text(
                left / width, 1 - (top + line / 2 + 0.36 * font_size) / total, text,
                fontsize=font_size, family=row.families, va='baseline', parse_math=False,
            )  # fmt: skip
            top += line
    canvas.draw()
    page = np.full((total, width, 3), 255, np.uint8)
    page[:height, :picture_width] = picture
    return _over(np.asarray(canvas.buffer_rgba()), page)


def _over(drawn: np.ndarray, page: np.ndarray) -> np.ndarray:
    """Lay what is drawn over a page. (H, W, 4) uint8 RGBA, (H, W, 3) uint8 -> (H, W, 3) uint8

    matplotlib would resample a picture that it is given, which takes far longer.
    """
    rows, columns = np.nonzero(drawn[..., 3])
    colour, opacity = np.split(drawn[rows, columns].astype(np.float32), [3], axis=1)
    below = page[rows, columns]
    page = page.copy()
    page[rows, columns] = (below + opacity / 255 * (colour - below)).round()
    return page


def _apart(badges: Sequence[Badge], distance: float) -> list[tuple[int, int]]:
    """Place the badges; those of masks in one place stand side by side."""
    places: list[tuple[int, int]] = []
    for badge in badges:
        x, y = badge.place
        while any(max(abs(x - i), abs(y - j)) < distance for i, j in places):
            x += round(distance)
        places.append((x, y))
    return places


def _rows(legend: Sequence[LegendEntry], font_size: float, width: float) -> list[_Row]:
    """Wrap each entry; a last row says so where characters had to be spelt out."""
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
        rows.append(_Row(lines, text.families, colour))
    return rows
