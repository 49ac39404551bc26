# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws what a model is fed: an entry of a dataset before and after its pipeline."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from .palette import MARK_COLOUR, to_unit
from .style import new_figure

_SIDE = 5.9  # inches of a picture
_WRAP = 54  # characters of a line of text


@dataclass(frozen=True)
class FedSample:
    """One sample before and after the pipeline.

    Attributes:
        image: (H, W, 3) uint8 RGB, as on the disk.
        mask: (H, W) bool.
        sentences: All that were said of the object.
        name: Dataset, split, ref id or the like.
        fed_image: (h, w, 3) uint8 RGB, after the pipeline.
        fed_mask: (h, w) bool, at the size of ``fed_image``, or None where there is no truth.
        fed_text: The sentence that was chosen, as augmentations left it.
        tokens: Those that the model reads, without padding.
        num_padding: How many padding tokens follow.
        num_cut: How many tokens were cut off.
    """

    image: np.ndarray
    mask: np.ndarray
    sentences: Sequence[str]
    name: str
    fed_image: np.ndarray
    fed_mask: np.ndarray | None
    fed_text: str
    tokens: Sequence[str]
    num_padding: int
    num_cut: int


def draw_fed_sample(sample: FedSample, path: str | Path) -> None:
    """Write a PNG: left the image with the object's outline, right the input; below the texts.

    Raises:
        ValueError: A mask and its image differ in size.
    """
    for image, mask in ((sample.image, sample.mask), (sample.fed_image, sample.fed_mask)):
        if mask is not None and mask.shape != image.shape[:2]:
            raise ValueError(f'mask is {mask.shape}, the image {image.shape[:2]}')
    said = _wrapped(sample.sentences, mark=sample.fed_text)
    read = _fed_lines(sample)
    text_height = 0.3 + 0.21 * max(len(said), len(read))  # inches
    figure = new_figure(12, _SIDE + text_height)
    axes = figure.subplots(2, 2, height_ratios=(_SIDE, text_height))
    height, width = sample.image.shape[:2]
    _show(axes[0, 0], sample.image, sample.mask, f'{sample.name}: {width} x {height}')
    height, width = sample.fed_image.shape[:2]
    _show(axes[0, 1], sample.fed_image, sample.fed_mask, f'input: {width} x {height}', nearest=True)
    for axis, lines in zip(axes[1], (said, read)):
        axis.set_axis_off()
        axis.text(
            0, 1, '\n'.join(lines), va='top', fontsize=12, family='DejaVu Sans Mono',
            parse_math=False,
        )  # fmt: skip
    figure.savefig(path)


def _show(
    axis: Axes, image: np.ndarray, mask: np.ndarray | None, title: str, *, nearest: bool = False
) -> None:

    axis.imshow(image, interpolation='nearest' if nearest else None)
    axis.set_axis_off()
    axis.set_anchor('N')
    if mask is None:
        title += ', no truth'
    elif not mask.any():
        title += ', no target'
    else:
        title += f', mask {100 * mask.mean():.1f} %'
        # a border of background, so that the outline closes at the image's edge
        padded = np.pad(mask.astype(float), 1)
        sides = [np.arange(-1, side + 1) for side in mask.shape]
        for colour, line in (('black', 3.5), (to_unit(MARK_COLOUR), 1.8)):
            axis.contour(sides[1], sides[0], padded, levels=[0.5], colors=[colour], linewidths=line)
        axis.set_xlim(-0.5, mask.shape[1] - 0.5)
        axis.set_ylim(mask.shape[0] - 0.5, -0.5)
    axis.set_title(title, fontsize=11)


def _wrapped(sentences: Sequence[str], mark: str) -> list[str]:
    lines = ['said of it:']
    for sentence in sentences:
        bullet = '> ' if sentence == mark else '- '
        lines += textwrap.wrap(
            sentence, _WRAP, initial_indent=bullet, subsequent_indent='  ', max_lines=8
        )
    return lines


def _fed_lines(sample: FedSample) -> list[str]:
    lines = textwrap.wrap(f'text: {sample.fed_text}', _WRAP, subsequent_indent='  ', max_lines=8)
    counts = f'{len(sample.tokens)} tokens + {sample.num_padding} padding'
    if sample.num_cut:
        counts += f', {sample.num_cut} cut off'
    lines += ['', counts + ':']
    return lines + textwrap.wrap(' | '.join(sample.tokens), _WRAP, max_lines=8)
