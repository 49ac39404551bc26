# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws what several models make of the same samples (ReMamber, Figs. 6 and 7)."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from .painting import greyed, overlay, paint_errors
from .palette import FOUND_COLOUR, TRUTH_COLOUR, WRONG_COLOUR, to_unit
from .prediction import Prediction
from .style import literal, new_figure, show

_SIDE = 2.3  # inches of a picture
_WRAP = 30  # characters of a line


def draw_comparison(models: Mapping[str, Sequence[Prediction]], path: str | Path) -> None:
    """Write a PNG with a row for each sample: image with sentence, truth, and each model's mask.

    Args:
        models: The predictions of each model by name, all of the same samples in the same order.
        path: File to write.

    Raises:
        ValueError: There is nothing to show, or the models have different samples.
    """
    columns = list(models.values())
    if not columns or not columns[0]:
        raise ValueError('models is empty: nothing to show')
    for name, items in models.items():
        if [item.text for item in items] != [item.text for item in columns[0]]:
            raise ValueError(f'models must have the same samples, but {name!r} has others')
    rows = list(zip(*columns, strict=True))
    shapes = [items[0].image.shape for items in rows]
    heights = [_SIDE * min(max(height / width, 0.4), 1.5) + 0.6 for height, width, _ in shapes]
    figure = new_figure(_SIDE * (len(columns) + 2), sum(heights) + 0.6)
    axes = figure.subplots(len(rows), len(columns) + 2, squeeze=False, height_ratios=heights)
    for axis, name in zip(axes[0, 2:], models, strict=True):
        heading = literal('\n'.join(textwrap.wrap(name, 28)))
        axis.annotate(
            heading, (0.5, 1), xycoords='axes fraction', xytext=(0, 24),
            textcoords='offset points', ha='center', va='bottom', weight='bold', fontsize=9,
        )  # fmt: skip
    for line, items in zip(axes, rows, strict=True):
        first = items[0]
        text = literal('\n'.join(textwrap.wrap(first.text, _WRAP)[:3]))
        show(line[0], first.image, f'"{text}"')
        show(line[1], overlay(first.image, first.truth, TRUTH_COLOUR), 'truth')
        for axis, item in zip(line[2:], items, strict=True):
            picture = paint_errors(greyed(item.image), item.truth, item.prediction)
            show(axis, picture, f'IoU {100 * item.iou:.0f}')
    handles = [
        figure.axes[0].scatter([], [], marker='s', s=80, color=to_unit(colour), label=label)
        for colour, label in (
            (TRUTH_COLOUR, 'truth, or what a model misses'),
            (FOUND_COLOUR, 'found'),
            (WRONG_COLOUR, 'found, but not meant'),
        )
    ]
    figure.legend(handles=handles, loc='outside lower center', ncols=3, frameon=False)
    figure.savefig(path)
