# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A gallery of predictions: image with its sentence, truth, prediction."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import SubFigure

from .painting import overlay
from .palette import BLACK, PREDICTION_COLOUR, PREDICTION_INK, TRUTH_COLOUR, to_unit
from .prediction import Prediction
from .style import new_figure


def draw_gallery(
    groups: Mapping[str, Sequence[Prediction]],
    path: str | Path,
    *,
    columns: int = 3,
    title: str = '',
) -> None:
    """Write a PNG with three panels (image, truth, prediction) for each sentence.

    Args:
        groups: What to show, in reading order; each group begins a row, under its name.
        path: File to write.
        columns: Sentences in a row.
        title: Line above the gallery.

    Raises:
        ValueError: There is nothing to show.
    """
    groups = {name: items for name, items in groups.items() if items}
    if not groups:
        raise ValueError('groups are empty: nothing to show')
    line, row_height = 0.5, 2.2  # inches
    rows = [-(-len(items) // columns) for items in groups.values()]
    heights = [line]
    for count in rows:
        heights += [line, row_height * count]
    figure = new_figure(5.4 * columns, sum(heights), layout=None)
    header, *parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    header.suptitle(title, fontsize=13, y=0.7, parse_math=False)
    for (name, items), count, heading, body in zip(
        groups.items(), rows, parts[::2], parts[1::2], strict=True
    ):
        heading.suptitle(name, fontsize=11, y=0.6, parse_math=False)
        cells = body.subfigures(count, columns, squeeze=False).ravel()
        for cell, item in zip(cells, items, strict=False):
            _draw(cell, item)
    figure.savefig(path)


def _draw(cell: SubFigure, item: Prediction) -> None:
    sentence = '\n'.join(textwrap.wrap(item.text, 56)[:2])
    cell.suptitle(f'"{sentence}"', fontsize=10, y=0.98, parse_math=False)
    panels = (
        ('image', item.image, BLACK),
        ('truth', overlay(item.image, item.truth, TRUTH_COLOUR), TRUTH_COLOUR),
        (
            f'prediction, IoU {100 * item.iou:.0f}',
            overlay(item.image, item.prediction, PREDICTION_COLOUR),
            PREDICTION_INK,
        ),
    )
    axes = cell.subplots(1, 3, gridspec_kw=dict(top=0.78, bottom=0.01, left=0.02, right=0.98))
    for axis, (name, picture, ink) in zip(axes, panels, strict=True):
        axis.imshow(picture)
        axis.set_title(name, fontsize=9, color=to_unit(ink), pad=3)
        axis.set_axis_off()
