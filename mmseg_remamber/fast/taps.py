# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A 3x3 convolution of an upsampled map, whose taps come before the upsampling.

Upsampling is bilinear with the corners aligned, as the published heads have it.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .linear import linear
from .parts import as_autocast
from .strips import rows_of

#: Rows of the result that are made at a time, and columns: a few megabytes at the published width.
ROWS, COLUMNS = 16, 32


def conv_taps(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply each of the 9 taps of a 3x3 convolution to each position, for :func:`sum_doubled_taps`.

    x: (B, C, h, w) float -> (B, 9 O, h, w).
    """
    taps = conv.weight.permute(2, 3, 0, 1).reshape(-1, conv.in_channels, 1, 1)
    return F.conv2d(x, taps)


def sum_doubled_taps(taps: Tensor, bias: Tensor) -> Tensor:
    """Compute ``conv(double(x))`` for a 3x3 convolution to few channels, at the small map's cost.

    Upsampling acts on each channel alone and the taps of a convolution on each position alone, so
    that the taps may come first, and only what they make is doubled, shifted and added. Of the wide
    map that is four times the size nothing is ever made. The sum is the same but for rounding.

    Args:
        taps: (B, 9 O, h, w) float, of :func:`conv_taps`.
        bias: (O,) float.

    Returns:
        (B, O, 2h, 2w) float.
    """
    doubled = F.interpolate(taps, scale_factor=2, mode='bilinear', align_corners=True)
    by_tap = doubled.chunk(9, dim=1)
    height, width = by_tap[0].shape[2:]
    total = torch.zeros_like(by_tap[0]) + bias[:, None, None]
    for tap, values in enumerate(by_tap):
        down, right = tap // 3 - 1, tap % 3 - 1
        # what lies beyond the border counts zero
        inside = values[
            :, :, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)
        ]
        total = total + F.pad(inside, (max(-right, 0), max(right, 0), max(-down, 0), max(down, 0)))
    return total


def conv_of_resized(
    x: Tensor,
    size: Sequence[int],
    weight: Tensor,
    bias: Tensor | None,
    then: Callable[[Tensor], Tensor] = nn.Identity(),  # noqa: B008  without state
) -> Tensor:
    """Compute ``then(conv(upsample(x, size)))`` of a 3x3 convolution at a quarter of its products.

    The taps come first, as in :func:`sum_doubled_taps`, a few rows at a time: of each row of x one
    product makes what the three taps of a row of the kernel make of each position, and a product
    with a band matrix, which holds the weights of the resize at each tap, brings these to the width
    of the result and adds them; rows are added in the same way.

    Args:
        x: (B, C, h, w) float, h and w not above the size.
        size: H and W.
        weight: (O, C, 3, 3) float, of a convolution with stride 1 and padding 1.
        bias: (O,) float, or none.
        then: what follows, of each position alone: (B, O, *, W) -> (B, O', *, W).

    Returns:
        (B, O', H, W) float.
    """
    strips = []
    for rows in _rows_of_convolution(x.permute(0, 2, 3, 1), size, weight):
        rows = rows if bias is None else rows.add_(bias)
        strips.append(then(rows.permute(0, 3, 1, 2)))
    return torch.cat(strips, dim=2)


def add_conv_of_resized(total: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Add the convolution of a map made large to another map, in place: ``total +=
    conv(upsample(x, size))``, as :func:`conv_of_resized` computes it, which is never there whole.

    Args:
        total: (B, O, H, W) float.
        x, weight: as of :func:`conv_of_resized`.

    Returns:
        ``total``.
    """
    top = 0
    for rows in _rows_of_convolution(x.permute(0, 2, 3, 1), total.shape[2:], weight):
        bottom = top + rows.shape[1]
        total[:, :, top:bottom] += rows.permute(0, 3, 1, 2)
        top = bottom
    return total


def _rows_of_convolution(x: Tensor, size: Sequence[int], weight: Tensor) -> Iterator[Tensor]:
    """x: (B, h, w, C) -> strips of the result from the top, each (B, <= ROWS, W, O)."""
    (height, width), channels = size, weight.shape[0]
    down, across = (
        as_autocast(_tap_weights(small, large).to(x))
        for small, large in zip(x.shape[1:3], size, strict=True)
    )
    weight = as_autocast(weight)
    kernel_rows = [weight[:, :, i].permute(2, 0, 1).flatten(0, 1) for i in range(3)]  # (3 O, C)
    blocks = []
    for left in range(0, width, COLUMNS):
        right = min(left + COLUMNS, width)
        first, last = _read(left, right, x.shape[2], width)
        bands = across[left:right, first:last].flatten(1)
        blocks.append((slice(3 * first, 3 * last), bands))

    wide = x.new_empty(x.shape[0], 3, 0, width, channels)  # rows of x at the width of the result
    start = end = 0  # which rows of x these are
    for top in range(0, height, ROWS):
        bottom = min(top + ROWS, height)
        first, last = _read(top, bottom, x.shape[1], height)
        new, rows = [], rows_of(x, end, last)
        for kernel_row in kernel_rows:
            taps = linear(rows, kernel_row)
            taps = taps.unflatten(-1, (3, channels)).flatten(2, 3)  # (B, rows, 3 w, O)
            new.append(torch.cat([bands @ taps[:, :, inside] for inside, bands in blocks], dim=2))
        wide = torch.cat((wide[:, :, first - start :], torch.stack(new, dim=1)), dim=2)
        start, end = first, last
        bands = down[top:bottom, first:last].transpose(1, 2).flatten(1)  # (rows, 3 rows of x)
        yield (bands @ wide.flatten(3).flatten(1, 2)).unflatten(-1, (width, channels))


def _tap_weights(small: int, large: int) -> Tensor:
    """(large, small, 3): how much each place of a line counts at each tap of each place of the line
    resized; beyond the border nothing does.
    """
    lines = torch.eye(small, dtype=torch.float64)[None]
    weights = F.interpolate(lines, large, mode='linear', align_corners=True)[0]  # (small, large)
    return F.pad(weights, (1, 1)).unfold(1, 3, 1).transpose(0, 1)


def _read(first: int, last: int, small: int, large: int) -> tuple[int, int]:
    """Which places of a line the taps of places [first, last) of the line resized read."""
    ratio = (small - 1) / max(large - 1, 1)
    return int(max(first - 1, 0) * ratio), min(int(min(last, large - 1) * ratio) + 2, small)
