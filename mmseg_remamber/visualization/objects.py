# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of what classifiers, detectors and semantic segmentors find, beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from .painting import greyed, tint
from .palette import MASK_COLOURS, Colour, ink_on, to_unit
from .style import literal, new_figure

_SIDE = 2.6  # inches of a panel
_LONGEST_LEGEND = 12


@dataclass(frozen=True)
class Found:
    """One thing in a picture.

    Attributes:
        label: Index of its class.
        score: In [0, 1]; None of the truth.
        mask: (H, W) bool, or None.
        box: Left, top, right, bottom in pixels, or None.
    """

    label: int
    score: float | None = None
    mask: np.ndarray | None = None
    box: Sequence[float] | None = None


@dataclass(frozen=True)
class Answer:
    """What is in a picture, and what a model says is.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        truth, prediction: What is to be found, what was.
    """

    image: np.ndarray
    truth: Sequence[Found] = field(default_factory=tuple)
    prediction: Sequence[Found] = field(default_factory=tuple)


def draw_answers(
    answers: Sequence[Answer],
    classes: Sequence[str],
    path: str | Path,
    *,
    title: str,
    columns: int = 3,
) -> None:
    """Write a PNG of pairs: truth at the left, prediction at the right, a colour for each class; of
    more than seven classes some share one.

    Boxes are labelled with their class and score, masks without boxes by a legend. Pictures that
    have one class as a whole stand alone, the prediction above; a wrong one is marked with a cross,
    the truth below it.

    Args:
        answers: What to show, in reading order.
        classes: Names of the classes.
        path: File to write.
        title: Line above the pictures.
        columns: Pairs in a row; of pictures that stand alone twice as many.

    Raises:
        ValueError: There is nothing to show.
    """
    if not answers:
        raise ValueError('answers are empty: nothing to show')
    whole = all(_whole(answer.truth) and _whole(answer.prediction) for answer in answers)
    panels = 1 if whole else 2
    columns = 2 * columns // panels
    rows = -(-len(answers) // columns)
    figure = new_figure(panels * _SIDE * columns, (_SIDE + 0.4) * rows + 1.0)
    figure.suptitle(literal(title), fontsize=13)
    cells = figure.subfigures(rows, columns, squeeze=False).ravel()
    seen: list[int] = []
    for cell, answer in zip(cells, answers, strict=False):
        if whole:
            _show_whole(cell.subplots(), answer, classes)
            continue
        left, right = cell.subplots(1, 2)
        _show(left, answer.image, answer.truth, classes, 'truth')
        _show(right, answer.image, answer.prediction, classes, 'prediction')
        for thing in (*answer.truth, *answer.prediction):
            if thing.mask is not None and thing.box is None and thing.label not in seen:
                seen.append(thing.label)
    if seen:
        named = sorted(seen)[:_LONGEST_LEGEND]
        handles = [
            Patch(color=to_unit(_colour(label)), label=literal(classes[label])) for label in named
        ]
        if len(seen) > len(named):
            handles.append(Patch(alpha=0, label=f'and {len(seen) - len(named)} more'))
        figure.legend(handles=handles, loc='outside lower center', ncols=6, frameon=False)
    figure.savefig(path)


def _colour(label: int) -> Colour:
    return MASK_COLOURS[label % len(MASK_COLOURS)]


def _whole(things: Sequence[Found]) -> bool:
    """Whether the picture has one class as a whole."""
    return len(things) == 1 and things[0].mask is None and things[0].box is None


def _show_whole(axis: Axes, answer: Answer, classes: Sequence[str]) -> None:
    (truth,), (found,) = answer.truth, answer.prediction
    heading = f'{classes[found.label]}, {100 * (found.score or 0):.0f} %'
    if found.label != truth.label:
        heading = f'✗ {heading}\ntruth: {classes[truth.label]}'
    axis.set_axis_off()
    axis.imshow(answer.image)
    axis.set_title(literal(heading), fontsize=9)


def _show(
    axis: Axes, image: np.ndarray, things: Sequence[Found], classes: Sequence[str], name: str
) -> None:
    axis.set_axis_off()
    picture = greyed(image)
    for thing in things:
        if thing.mask is not None:
            picture = tint(picture, thing.mask, _colour(thing.label))
    axis.imshow(picture)
    axis.set_title(name, fontsize=9)
    for thing in things:
        if thing.box is not None:
            left, top, right, bottom = thing.box
            colour = to_unit(_colour(thing.label))
            axis.add_patch(
                Rectangle(
                    (left - 0.5, top - 0.5), right - left, bottom - top, fill=False, ec=colour, lw=1
                )
            )
            score = '' if thing.score is None else f' {100 * thing.score:.0f}'
            axis.text(
                left, top, literal(f'{classes[thing.label]}{score}'), fontsize=6,
                va='top' if top < 0.08 * len(image) else 'bottom',
                color=ink_on(_colour(thing.label)), clip_on=True,
                bbox=dict(facecolor=colour, edgecolor='none', pad=0.6),
            )  # fmt: skip
