# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What matplotlib's figures share: size, lines that are told apart, and plain axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .palette import LINE_COLOURS, to_unit

_DASHES = ('-', '--', ':', '-.')
_MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')


def new_figure(width: float, height: float, *, layout: str | None = 'constrained') -> Figure:
    """Make a figure that draws without a display.

    Args:
        width, height: In inches, of 100 pixels each.
        layout: matplotlib's layout engine; None places nothing by itself.
    """
    figure = Figure(figsize=(width, height), dpi=100, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def literal(text: str) -> str:
    """Text that matplotlib shows as it is written: a dollar sign begins no formula."""
    return text.replace('$', r'\$')


def line_colours(names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Give each name a colour, as matplotlib takes it; again from the first when they run out."""
    return {name: to_unit(LINE_COLOURS[i % len(LINE_COLOURS)]) for i, name in enumerate(names)}


def line_styles(names: Sequence[str]) -> dict[str, dict]:
    """Give each name colour, dash, marker and width, so that no line is told by its colour alone.

    The first are the widest, to be seen under later ones that lie on them.
    """
    return {
        name: dict(
            color=colour,
            linestyle=_DASHES[i % len(_DASHES)],
            marker=_MARKERS[i % len(_MARKERS)],
            linewidth=max(1.4, 1.4 + 0.6 * (min(len(names), 4) - 1 - i)),
        )
        for i, (name, colour) in enumerate(line_colours(names).items())
    }


def plain(axis: Axes, x: str, y: str) -> None:
    """Set labels and a light grid; take away the frame above and at the right."""
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.grid(color='0.9')
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)


def show(axis: Axes, picture: np.ndarray, title: str) -> None:
    """Show a picture's own pixels, without axes."""
    axis.imshow(picture, interpolation='nearest')
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()
