# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A gallery of predictions: image with its sentence, truth, prediction."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from .painting import overlay
from .palette import BLACK, PREDICTION_COLOUR, PREDICTION_INK, TRUTH_COLOUR, to_unit
from .prediction import Prediction
from .style import new_figure


def draw_gallery(
    predictions: Sequence[Prediction], path: str | Path, *, columns: int = 3, title: str = ''
) -> None:
    """Write a PNG with three panels (image, truth, prediction) for each sentence.

    Args:
        predictions: What to show, in reading order.
        path: File to write.
        columns: Sentences in a row.
        title: Line above the gallery.

    Raises:
        ValueError: There is nothing to show.
    """
    if not predictions:
        raise ValueError('predictions is empty: nothing to show')
    rows = -(-len(predictions) // columns)
    title_height, row_height = 0.5, 2.2  # inches
    figure = new_figure(5.4 * columns, row_height * rows + title_height, layout=None)
    header, body = figure.subfigures(2, 1, height_ratios=(title_height, row_height * rows))
    header.suptitle(title, fontsize=13, y=0.7)
    cells = body.subfigures(rows, columns, squeeze=False).ravel()
    for cell, item in zip(cells, predictions, strict=False):
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
    figure.savefig(path)
