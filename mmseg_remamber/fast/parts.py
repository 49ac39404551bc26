# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A linear layer on the parts of its input: exact, and less arithmetic than on the whole."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .linear import linear
from .strips import by_rows


def as_autocast(weight: Tensor) -> Tensor:
    """Cast a weight to the type in which autocast would read it.

    For a layer that reads it, or parts of it, many times: autocast keeps what it has cast of whole
    parameters only.
    """
    kind = weight.device.type
    if kind == 'meta' or not torch.is_autocast_enabled(kind):
        return weight
    return weight.to(torch.get_autocast_dtype(kind))


def linear_of_parts(
    layer: nn.Linear,
    maps: Sequence[Tensor],
    coarse: Tensor | None = None,
    *,
    before: nn.Module | None = None,
    then: Callable[[Tensor], Tensor] = nn.Identity(),  # noqa: B008  without state
    halo: int = 0,
) -> Tensor:
    """Compute ``layer`` of the concatenation of maps plus a coarse map, without building either.

    The layer is linear: each map meets its own columns of the weight, a vector that holds all over
    the map is projected once, and a coarse map before it is made large.

    Args:
        layer: of as many input channels as the maps have together; without a bias.
        maps: in the order of their channels, each (B, H, W, C_i) or, the first excepted,
            (B, 1, 1, C_i) to be broadcast over the map; float.
        coarse: (B, h, w, in_features) float, brought bilinearly to (H, W) and added to the
            concatenation; none when absent.
        before: what each position goes through first, of a single map alone.
        then: what follows, (B, h, W, out_features) -> (B, h, W, C').
        halo: rows on either side that a row of ``then`` depends on.

    Returns:
        (B, H, W, C') float; of out_features channels without ``then``.

    Raises:
        ValueError: for ``before`` with several maps or a coarse one, whose sum it does not see.
    """
    if len(maps) == 1 and coarse is None:
        return by_rows(
            lambda rows: then(layer(rows if before is None else before(rows))),
            *maps,
            width=layer.out_features,
            halo=halo,
        )
    if before is not None:
        raise ValueError(
            f'before takes a single map alone, got {len(maps)} maps'
            + (' and a coarse one' if coarse is not None else '')
        )
    size = maps[0].shape[1:3]
    weight = as_autocast(layer.weight)
    parts, weights, constants = [], [], []
    columns = weight.split([part.shape[-1] for part in maps], dim=1)
    for part, own in zip(maps, columns, strict=True):
        if part.shape[1:3] == size:
            parts.append(part)
            weights.append(own)
        else:
            constants.append(linear(part, own))
    if coarse is not None:
        # what is constant stays so when it is made large
        parts.append(_resize(sum(constants, linear(coarse, weight)), size))
    elif constants:
        parts.append(sum(constants))

    def project(*parts: Tensor) -> Tensor:
        total = linear(parts[0], weights[0])
        for part, weight in zip(parts[1:], weights[1:], strict=False):
            total = total.add_(linear(part, weight))
        return then(total.add_(parts[-1]) if len(parts) > len(weights) else total)

    return by_rows(project, *parts, width=layer.out_features, halo=halo)


def _resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """x: (B, h, w, C) float -> (B, H, W, C)."""
    return F.interpolate(x.permute(0, 3, 1, 2), size, mode='bilinear').permute(0, 2, 3, 1)
