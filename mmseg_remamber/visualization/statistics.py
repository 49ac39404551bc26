# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws histograms of a dataset's splits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mmseg_remamber.datasets.inspection import SplitStatistics

from .style import line_colours, literal, new_figure


def draw_statistics(
    splits: Mapping[str, SplitStatistics], path: str | Path, *, title: str = ''
) -> None:
    """Write a PNG with four panels: words, tokens, sentences of a ref, mask sizes.

    Each split is a line of its own, in percent of its sentences or refs, so that splits of
    different size can be compared.

    Raises:
        ValueError: There is nothing to show.
    """
    if not splits:
        raise ValueError('splits is empty: nothing to show')
    figure = new_figure(12, 8)
    figure.suptitle(literal(title), fontsize=14)
    (words, tokens), (sentences, masks) = figure.subplots(2, 2)
    colours = line_colours(list(splits))
    for name, split in splits.items():
        style = dict(color=colours[name], label=literal(name))
        _draw_counts(words, split.words, **style)
        _draw_counts(tokens, split.tokens, **style)
        _draw_counts(sentences, split.sentences_per_ref, **style)
        shares = 100 * split.mask_shares[split.mask_shares > 0]
        heights, edges = np.histogram(shares, bins=np.geomspace(0.01, 100, 41))
        masks.stairs(100 * heights / max(len(split.mask_shares), 1), edges, **style)
    limit = next(iter(splits.values())).max_tokens
    tokens.axvline(limit + 0.5, color='black', linestyle=':', linewidth=1)
    tokens.annotate(
        f' cut beyond {limit}', (limit + 0.5, 0.97), xycoords=('data', 'axes fraction'), va='top'
    )
    masks.set_xscale('log')
    masks.xaxis.set_major_formatter('{x:g}')
    for axis, label, what in (
        (words, 'words of a sentence', 'sentences'),
        (tokens, 'tokens of a sentence, with start and end', 'sentences'),
        (sentences, 'sentences of a ref', 'refs'),
        (masks, 'mask, % of the image', 'refs'),
    ):
        axis.set_xlabel(label)
        axis.set_ylabel(f'% of {what}')
        axis.spines[['top', 'right']].set_visible(False)
    masks.legend(frameon=False, fontsize=9)
    figure.savefig(path)


def _draw_counts(
    axis: Axes, values: np.ndarray, *, color: tuple[float, float, float], label: str
) -> None:
    """Draw a histogram of (n,) int; what lies beyond the 99.9th percentile shares the last bin."""
    last = max(int(np.ceil(np.percentile(values, 99.9))), 1)
    heights = np.bincount(np.minimum(values, last), minlength=last + 1)
    edges = np.arange(last + 2) - 0.5
    axis.stairs(100 * heights / len(values), edges, color=color, label=label)
