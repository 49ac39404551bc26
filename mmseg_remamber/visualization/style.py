# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the figures share: colours that any colour vision tells apart, and plain axes."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette without its yellow, which is lost on white
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
LINES = ('-', '--', ':', '-.')
MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')
HEAT = 'viridis'  # rises evenly in lightness: read without colours, too


def new_figure(width: float, height: float) -> Figure:
    """A figure of that many inches, at 100 pixels an inch, that draws without a display."""
    figure = Figure(figsize=(width, height), dpi=100, layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def line_styles(names: Sequence[str]) -> dict[str, dict[str, str | float]]:
    """Colour, dash, marker and width of each name, so that no line is told by its colour alone.

    The first are the widest, to be seen under later ones that lie on them.
    """
    return {
        name: dict(
            color=COLOURS[i % len(COLOURS)],
            linestyle=LINES[i % len(LINES)],
            marker=MARKERS[i % len(MARKERS)],
            linewidth=max(1.4, 1.4 + 0.6 * (min(len(names), 4) - 1 - i)),
        )
        for i, name in enumerate(names)
    }


def plain(axis: Axes, x: str, y: str) -> None:
    """Labels, a light grid, and no frame above and at the right."""
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.grid(color='0.9')
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)
