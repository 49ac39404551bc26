# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws what goes on inside a model: maps beside the picture that they belong to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from .palette import HEAT, MARK_COLOUR, to_unit
from .style import literal, new_figure, show

_SIDE = 1.7  # inches of a small map's width
_LARGE = 1.35 * _SIDE


def draw_word_maps(
    image: np.ndarray,
    words: Sequence[str],
    stages: Sequence[tuple[str, np.ndarray]],
    path: str | Path,
    *,
    text: str,
    what: str,
) -> None:
    """Write a PNG with a row for each stage and a column for each word.

    Args:
        image: (H, W, 3) uint8 RGB, as the model sees it.
        words: T' words.
        stages: Name and maps (h, w, T') float of each. Each row has one scale.
        path: File to write.
        text: The sentence.
        what: What the colours mean.
    """
    height = (_height(image, _SIDE) + 0.15) * len(stages) + 0.8
    figure = new_figure(_SIDE * (len(words) + 1) + 1.4, height)
    figure.suptitle(literal(f'"{text}"'), fontsize=11)
    axes = figure.subplots(len(stages), len(words) + 1, squeeze=False)
    for number, (line, (name, maps)) in enumerate(zip(axes, stages, strict=True)):
        show(line[0], image, '')
        line[0].annotate(
            f'{name}\n{maps.shape[0]} x {maps.shape[1]}', (-0.08, 0.5), xycoords='axes fraction',
            ha='right', va='center', fontsize=9,
        )  # fmt: skip
        scale = dict(vmin=float(maps.min()), vmax=float(maps.max()), cmap=HEAT)
        for axis, word, values in zip(line[1:], words, np.moveaxis(maps, 2, 0), strict=True):
            drawn = axis.imshow(values, interpolation='nearest', **scale)
            axis.set_axis_off()
            if number == 0:
                axis.set_title(literal(word), fontsize=10)
        bar = figure.colorbar(drawn, ax=line.tolist(), fraction=0.05, pad=0.01, aspect=12)
        bar.set_label(what, fontsize=8)
        bar.ax.tick_params(labelsize=8)
    figure.savefig(path)


def draw_panels(
    rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]],
    path: str | Path,
    *,
    title: str,
    note: str = '',
) -> None:
    """Write a PNG of pictures in rows, each with a title.

    Args:
        rows: Name of the row and its panels, each title and (h, w, 3) picture.
        path: File to write.
        title: Line above the rows.
        note: Line below them, on what the colours mean.
    """
    columns = max(len(panels) for _, panels in rows)
    height = _height(rows[0][1][0][1], _LARGE) + 0.3
    figure = new_figure(_LARGE * columns + 1.0, height * len(rows) + 0.9)
    figure.suptitle(literal(title), fontsize=11)
    if note:
        figure.supxlabel(note, fontsize=9)
    for line, (name, panels) in zip(
        figure.subplots(len(rows), columns, squeeze=False), rows, strict=True
    ):
        for axis in line:
            axis.set_axis_off()
        for axis, (heading, picture) in zip(line, panels, strict=False):
            show(axis, picture, heading)
        line[0].annotate(
            name, (-0.06, 0.5), xycoords='axes fraction', ha='right', va='center', fontsize=9
        )
    figure.savefig(path)


def draw_heat_maps(
    rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]],
    path: str | Path,
    *,
    title: str,
    what: str,
    decades: float,
    image: np.ndarray | None = None,
    mark: Sequence[tuple[float, float]] = (),
) -> None:
    """Write a PNG of heat maps in rows, each over its largest value on one logarithmic scale.

    Args:
        rows: Name of the row and its panels, each title and (h, w) map, not negative.
        path: File to write.
        title: Line above the rows.
        what: What the colours mean.
        decades: Powers of ten that the scale spans below 1.
        image: (H, W, 3) uint8 RGB, shown first in each row.
        mark: Place of each row in [0, 1] x [0, 1] (down, right) to be marked on the image.
    """
    first = int(image is not None)
    columns = first + max(len(panels) for _, panels in rows)
    lines = max(heading.count('\n') for _, panels in rows for heading, _ in panels) + 1
    height = _height(rows[0][1][0][1], _LARGE) + 0.1 + 0.18 * lines
    figure = new_figure(_LARGE * columns + 1.6, height * len(rows) + 0.8)
    figure.suptitle(literal(title), fontsize=11)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    norm = LogNorm(vmin=10**-decades, vmax=1)
    for number, (line, (name, panels)) in enumerate(zip(axes, rows, strict=True)):
        for axis in line:
            axis.set_axis_off()
        if image is not None:
            show(line[0], image, 'input')
        if mark:
            down, right = mark[number]
            height, width = image.shape[:2]
            place = (right * width - 0.5, down * height - 0.5)
            line[0].plot(*place, marker='X', markersize=11, color=to_unit(MARK_COLOUR), mec='black')
        line[0].annotate(
            name, (-0.06, 0.5), xycoords='axes fraction', ha='right', va='center', fontsize=9
        )
        for axis, (heading, values) in zip(line[first:], panels, strict=False):
            scaled = np.clip(values / max(values.max(), 1e-30), 10**-decades, 1)
            drawn = axis.imshow(scaled, norm=norm, cmap=HEAT, interpolation='nearest')
            axis.set_title(heading, fontsize=9)
    bar = figure.colorbar(drawn, ax=axes.ravel().tolist(), fraction=0.03, pad=0.01, aspect=25)
    bar.set_label(what, fontsize=9)
    figure.savefig(path)


def draw_shares(
    rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]],
    path: str | Path,
    *,
    title: str,
    what: str,
    image: np.ndarray | None = None,
    outlined: tuple[float, float, float, float] | None = None,
) -> None:
    """Write a PNG of maps in rows, all on one scale from 0 to 1.

    Args:
        rows: Name of the row and its panels, each title and (h, w) float in [0, 1].
        path: File to write.
        title: Line above the rows.
        what: What the colours mean.
        image: (H, W, 3) uint8 RGB, shown first in each row.
        outlined: Left, top, width and height in [0, 1] of a part of the image that is outlined.
    """
    first = int(image is not None)
    columns = first + max(len(panels) for _, panels in rows)
    figure = new_figure(_LARGE * columns + 1.9, (_LARGE + 0.45) * len(rows) + 0.7)
    figure.suptitle(literal(title), fontsize=11)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, panels) in zip(axes, rows, strict=True):
        for axis in line:
            axis.set_axis_off()
        if image is not None:
            show(line[0], image, 'input')
            if outlined is not None:
                height, width = image.shape[:2]
                left, top, across, down = outlined
                line[0].add_patch(
                    Rectangle(
                        (left * width - 0.5, top * height - 0.5), across * width, down * height,
                        fill=False, linewidth=2, edgecolor=to_unit(MARK_COLOUR),
                    )
                )  # fmt: skip
        line[0].annotate(
            literal(name), (-0.06, 0.5), xycoords='axes fraction', ha='right', va='center',
            fontsize=9,
        )  # fmt: skip
        for axis, (heading, values) in zip(line[first:], panels, strict=False):
            drawn = axis.imshow(values, vmin=0, vmax=1, cmap=HEAT, interpolation='nearest')
            axis.set_title(literal(heading), fontsize=9)
    bar = figure.colorbar(drawn, ax=axes.ravel().tolist(), fraction=0.03, pad=0.01, aspect=25)
    bar.set_label(what, fontsize=9)
    figure.savefig(path)


def _height(picture: np.ndarray, width: float) -> float:
    """Compute the height of a picture in inches: of its shape, within 0.5 to 1.5 of the width."""
    return width * min(max(picture.shape[0] / picture.shape[1], 0.5), 1.5)
