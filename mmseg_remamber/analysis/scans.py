# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a 2-D selective scan passes from position to position, route by route."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_remamber.layers import conv_nhwc
from mmseg_remamber.vmamba import SS2D
from mmseg_remamber.vmamba.ss2d import NUM_ROUTES

#: What :func:`attention_maps` can show, and the weight of position s at position t.
KINDS = {
    'CB': 'C_t . B_s',
    'CwBw': '(C_t w_t) . (B_s / w_s)',
    'ww': 'w_t . (1 / w_s)',
    'CwBwd': '(C_t w_t) . (B_s d_s / w_s)',
}
_LEAST_DECAY = 1e-20


class _Parts(NamedTuple):
    """What a scan computes of each position; routes k, positions row-major."""

    steps: Tensor  # (K, H, W, E), after softplus
    b: Tensor  # (K, H, W, N)
    c: Tensor  # (K, H, W, N)
    a: Tensor  # (K, E, N), negative


def _parts(scan: SS2D, x: Tensor) -> _Parts:
    u = scan.in_proj(x[None])
    if scan.gated:
        u, _ = u.chunk(2, dim=-1)
    u = F.silu(conv_nhwc(scan.conv2d, u))[0].float()
    projections = torch.einsum('hwe,kpe->khwp', u, scan.x_proj_weight.float())
    dt, b, c = projections.split([scan.rank, scan.state_dim, scan.state_dim], dim=-1)
    steps = torch.einsum('khwr,ker->khwe', dt, scan.dt_projs_weight.float())
    steps = F.softplus(steps + scan.dt_projs_bias.float()[:, None, None])
    a = -scan.A_logs.float().exp().unflatten(0, (NUM_ROUTES, u.shape[-1]))
    return _Parts(steps, b, c, a)


def _order(route: int, height: int, width: int, device: torch.device) -> Tensor:
    """The row-major numbers of positions in the order of a route: over rows, over columns, and over
    both backwards. (H * W,) int64"""
    order = torch.arange(height * width, device=device).view(height, width)
    if route % 2:
        order = order.t()
    order = order.flatten()
    return order.flip(0) if route >= 2 else order


@torch.no_grad()
def route_weights(scan: SS2D, x: Tensor, query: tuple[int, int]) -> Tensor:
    """What each position passes to a query along each route of a scan.

    Unrolled, the recurrence is a sum over the positions s up to the query q in a route's order:
    ``y_q = sum_s C_q . (exp(A (t_q - t_s)) * B_s) d_s u_s + D u_q`` with the step sizes d and their
    running sum t. This gives the factor of ``u_s`` for each channel; :func:`attention_maps` has the
    means over channels that VMamba's figures show.

    Args:
        scan: an SS2D.
        x: its input, (H, W, in_dim) float.
        query: row and column.

    Returns:
        (K, H, W, E) float32: routes row-major, column-major, and both reversed; 0 on positions that
        come after the query.
    """
    steps, b, c, a = _parts(scan, x)
    _, height, width, inner = steps.shape
    row, column = query
    weights = []
    for route in range(NUM_ROUTES):
        order = _order(route, height, width, x.device)
        place = int((order == row * width + column).nonzero())
        past = order[: place + 1]
        d = steps[route].flatten(0, 1)[past]  # (S, E)
        since = d.sum(0) - d.cumsum(0)
        decay = (since[..., None] * a[route]).exp()  # (S, E, N)
        gain = torch.einsum(
            'sen,sn,n->se', decay, b[route].flatten(0, 1)[past], c[route, row, column]
        )
        own = torch.zeros(height * width, inner, device=x.device)
        own[past] = gain * d
        weights.append(own.unflatten(0, (height, width)))
    return torch.stack(weights)


@torch.no_grad()
def attention_maps(scan: SS2D, x: Tensor, kind: str) -> Tensor:
    """The weights of each position at each other along each route of a scan (VMamba, figures of
    attention and activation maps).

    With the step sizes d of a route, ``w_t = exp(A (d_1 + ... + d_t))`` and the kinds of
    :data:`KINDS`, summed over states, meant over inner channels, 0 where s comes after t. The last
    kind is what the scan does; the paper's figures have the others.

    Args:
        scan: an SS2D.
        x: its input, (H, W, in_dim) float.
        kind: a key of :data:`KINDS`.

    Returns:
        (K, L, L) float32 with L = H * W, not normalised: what row t takes of column s, both
        numbered row-major, whatever the route.

    Raises:
        ValueError: for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f'kind must be one of {sorted(KINDS)}, got {kind!r}')
    steps, b, c, a = _parts(scan, x)
    _, height, width, inner = steps.shape
    maps = []
    for route in range(NUM_ROUTES):
        order = _order(route, height, width, x.device)
        here, there = c[route].flatten(0, 1)[order], b[route].flatten(0, 1)[order]  # (L, N)
        if kind == 'CB':
            weights = here @ there.t()
        else:
            elapsed = steps[route].flatten(0, 1)[order].cumsum(0)
            decay = (elapsed[..., None] * a[route]).exp()  # (L, E, N)
            inverse = 1 / decay.clamp(min=_LEAST_DECAY)
            if kind != 'ww':
                decay, inverse = decay * here[:, None], inverse * there[:, None]
            if kind == 'CwBwd':
                inverse = inverse * steps[route].flatten(0, 1)[order][..., None]
            weights = decay.flatten(1) @ inverse.flatten(1).t() / inner
        own = torch.empty_like(weights)
        own[order[:, None], order] = weights.tril()
        maps.append(own)
    return torch.stack(maps)


def query_number(place: Sequence[float], height: int, width: int) -> int:
    """The row-major number of the position at (right, down), each in [0, 1) of the map."""
    right, down = place
    return int(down * height) * width + int(right * width)


def normalised(maps: Tensor) -> dict[str, Tensor]:
    """Attention maps as they are shown: each from its least to its largest value.

    Args:
        maps: (K, L, L) float of K routes.

    Returns:
        {'a0', ...: each route; 'all': their sum; 'nall': the mean of those of each route}, (L, L)
        float in [0, 1].
    """
    each = [_stretch(route) for route in maps]
    named = {f'a{number}': route for number, route in enumerate(each)}
    return {**named, 'all': _stretch(maps.sum(0)), 'nall': torch.stack(each).mean(0)}


def _stretch(values: Tensor) -> Tensor:
    low, high = values.amin(), values.amax()
    return (values - low) / (high - low).clamp(min=1e-30)
