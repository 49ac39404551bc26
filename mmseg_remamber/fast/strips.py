# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Inference on a CPU a strip of rows at a time, so that what is wide stays in the cache."""

from collections.abc import Callable

from torch import Tensor

from .policy import applies

#: Values that a function may make of one strip: 16 MiB of float32, which the cache that cores share
#: holds on the machines of today.
STRIP_VALUES = 2**22


def rows_of(x: Tensor, first: int, last: int) -> Tensor:
    """``x[:, first:last]`` in strides that torch can fold to those of one matrix: of others a
    linear layer without a bias makes a product for each row. x: (B, H, W, C) -> (B, h, W, C).
    """
    if x.shape[0] == 1:
        return x[0, first:last].unsqueeze(0)
    return x[:, first:last].contiguous()


def by_images(function: Callable[[Tensor], Tensor], images: Tensor, *, values: int) -> Tensor:
    """``function(images)``, some images at a time wherever :func:`applies` allows it.

    Args:
        function: (b, ...) to (b, ...), of each image alone.
        images: (B, ...).
        values: values that the function makes of one image where it is widest.

    Returns:
        (B, ...).
    """
    number = max(STRIP_VALUES // values, 1)
    if not applies(images) or number >= len(images):
        return function(images)
    out = None
    for first in range(0, len(images), number):
        some = function(images[first : first + number])
        if out is None:
            out = some.new_empty(len(images), *some.shape[1:])
        out[first : first + number] = some
    return out


def by_rows(
    function: Callable[..., Tensor],
    *maps: Tensor,
    width: int,
    halo: int = 0,
    scale: int = 1,
    mixed: bool = False,
) -> Tensor:
    """``function(*maps)``, a strip of rows at a time wherever :func:`applies` allows it.

    A function that widens its maps on the way, as an MLP does, is then bound by arithmetic and not
    by memory, and the wide map never exists. Where gradients are recorded maps go through whole.

    Args:
        function: maps to one map of ``scale`` times the size, each row of which depends on the same
            rows of the maps and on ``halo`` more on either side.
        maps: each (B, H, W, C_i); those of height 1 belong to every strip.
        width: values that the function makes of one position where it is widest.
        halo: rows beyond a strip that its result depends on.
        scale: height of the result over that of the maps.
        mixed: whether a strip may hold rows of several images: of what is the same function of
            every position. Nothing is copied to gather a strip then.

    Returns:
        (B, scale * H, W', C').
    """
    if not applies(maps[0]):
        return function(*maps)
    if mixed and not halo and maps[0].shape[0] > 1 and all(m.is_contiguous() for m in maps):
        # one tall image
        tall = by_rows(function, *(m.flatten(0, 1)[None] for m in maps), width=width, scale=scale)
        return tall[0].unflatten(0, (maps[0].shape[0], -1))
    batch, height, columns, _ = maps[0].shape
    rows = max(STRIP_VALUES // (batch * columns * width), 1, 4 * halo)
    if rows >= height:
        return function(*maps)
    out = None
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(top - halo, 0), min(bottom + halo, height)
        strip = function(*(m if m.shape[1] == 1 else rows_of(m, first, last) for m in maps))
        if out is None:
            out = strip.new_empty(batch, scale * height, *strip.shape[2:])
        inside = strip[:, scale * (top - first) : scale * (bottom - first)]
        out[:, scale * top : scale * bottom] = inside
    return out
