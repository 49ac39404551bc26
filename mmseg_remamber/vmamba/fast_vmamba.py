# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba's modules in inference on a CPU: a strip of rows at a time, so that wide maps stay cached.

Each function computes what the plain forward of its module does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import conv_nhwc

if TYPE_CHECKING:
    from .block import VSSBlock
    from .ss2d import SS2D


def vss_block(block: VSSBlock, x: Tensor) -> Tensor:
    """x: (B, H, W, C) float -> (B, H, W, C)."""

    def mix_channels(scanned: Tensor, x: Tensor) -> Tensor:
        x = x + block.drop_path(scanned)
        return x + block.drop_path(block.mlp(block.norm2(x))) if block.with_mlp else x

    width = block.mlp.fc1.out_features if block.with_mlp else 0
    return ss2d(block.op, x, norm=block.norm, then=mix_channels, width=width, mixed=True)


def ss2d(
    scan: SS2D,
    *maps: Tensor,
    coarse: Tensor | None = None,
    norm: nn.Module | None = None,
    then: Callable[[Tensor, Tensor], Tensor] | None = None,
    width: int = 0,
    mixed: bool = False,
) -> Tensor:
    """Compute an SS2D together with what stands before and after it.

    Args:
        scan: the module.
        maps: its input, (B, H, W, in_dim) float; or the parts of it in the order of their channels,
            as in :func:`~mmseg_remamber.fast.linear_of_parts`.
        coarse: (B, h, w, in_dim) float, brought bilinearly to the map's size and added to it.
        norm: of each position of a single map, before all else.
        then: what follows, of each position alone, and takes the input too:
            (B, h, W, dim), (B, h, W, in_dim) -> (B, h, W, C').
        width: values that ``then`` makes of one position where it is widest.
        mixed: whether ``then`` is the same function of every position, whichever image's it is.

    Returns:
        (B, H, W, dim) float, or what ``then`` makes of it.

    Raises:
        ValueError: for ``norm`` with several maps or a coarse one.
    """

    def convolve(x: Tensor) -> Tensor:
        # a gradient needs what SiLU has read
        return F.silu(conv_nhwc(scan.conv2d, x), inplace=fast.applies(x))

    def project_out(y: Tensor, z: Tensor | None = None) -> Tensor:
        y = scan.out_norm(y)
        return scan.out_proj(y if z is None else y * F.silu(z))

    gate: list[Tensor] = []
    if scan.gated:
        projected = fast.linear_of_parts(scan.in_proj, maps, coarse, before=norm)
        x, *gate = projected.chunk(2, dim=-1)
        x = convolve(x)
    else:
        x = fast.linear_of_parts(scan.in_proj, maps, coarse, before=norm, then=convolve, halo=1)
    y = scan.scan(x)
    inner = scan.out_proj.in_features
    if then is None:
        return fast.by_rows(project_out, y, *gate, width=inner, mixed=True)
    return fast.by_rows(
        lambda x, *rows: then(project_out(*rows), x),
        maps[0],
        y,
        *gate,
        width=max(width, inner),
        mixed=mixed,
    )
