# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Forward mode: the tangent of a scan is a scan, so that the compiled op computes it too.

Both functions are made of `torch.ops.selective_scan.forward` and of torch's own operations, and can
be differentiated again. They hold the states of all steps: N times the size of the input.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .reference import lay_out, merge


class ScanInputs(NamedTuple):
    """The tensors that `selective_scan` takes."""

    u: Tensor  # (B, G*D, L)
    delta: Tensor  # (B, G*D, L)
    A: Tensor  # (G*D, N)
    B: Tensor  # (B, G, N, L)
    C: Tensor  # (B, G, N, L)
    D: Tensor | None  # (G*D,)
    delta_bias: Tensor | None  # (G*D,)


class ScanTangents(NamedTuple):
    """Those of its inputs, in their shapes; None is zero."""

    u: Tensor | None = None
    delta: Tensor | None = None
    A: Tensor | None = None
    B: Tensor | None = None
    C: Tensor | None = None
    D: Tensor | None = None
    delta_bias: Tensor | None = None


class MapInputs(NamedTuple):
    """The tensors that `ss2d_scan` takes."""

    x: Tensor  # (B, H, W, E)
    projections: Tensor  # (B, H, W, K, R + 2N)
    dt_weight: Tensor  # (K, E, R)
    A: Tensor  # (K*E, N)
    D: Tensor | None  # (K*E,)
    delta_bias: Tensor | None  # (K*E,)


class MapTangents(NamedTuple):
    """Those of its inputs, in their shapes; None is zero."""

    x: Tensor | None = None
    projections: Tensor | None = None
    dt_weight: Tensor | None = None
    A: Tensor | None = None
    D: Tensor | None = None
    delta_bias: Tensor | None = None


def scan_tangent(
    inputs: ScanInputs, tangents: ScanTangents, delta_softplus: bool
) -> tuple[Tensor, Tensor]:
    """The tangents of the result, (B, G*D, L), and of the last state, (B, G*D, N).

    Both are in the state's type, which A has.
    """
    dtype, rows = inputs.A.dtype, inputs.u.shape[1] // inputs.B.shape[1]
    u, step = inputs.u.to(dtype), inputs.delta.to(dtype)
    A = inputs.A.unsqueeze(-1)  # (G*D, N, 1)
    B, C = (v.to(dtype).repeat_interleave(rows, dim=1) for v in (inputs.B, inputs.C))
    t = ScanTangents(*(None if v is None else v.to(dtype) for v in tangents))
    B_t, C_t = (None if v is None else v.repeat_interleave(rows, dim=1) for v in (t.B, t.C))

    step_t = _sum(t.delta, _unsqueezed(t.delta_bias, -1))
    if inputs.delta_bias is not None:
        step = step + inputs.delta_bias.unsqueeze(-1)
    if delta_softplus:
        step_t = _product(step_t, torch.sigmoid(step))
        step = F.softplus(step, threshold=40)  # torch's own, 20, shows in float64

    # From here on there are states: (B, G*D, N, L).
    added = (step * u).unsqueeze(2)
    added_t = _unsqueezed(_sum(_product(step_t, u), _product(step, t.u)), 2)
    log_decay = step.unsqueeze(2) * A
    log_decay_t = _sum(
        _product(_unsqueezed(step_t, 2), A),
        _product(step.unsqueeze(2), _unsqueezed(t.A, -1)),
    )
    h = _recurrence(log_decay, added * B)
    before = F.pad(h, (1, 0))[..., :-1]
    driving = _sum(
        _product(log_decay_t, log_decay.exp() * before),
        _product(added_t, B),
        _product(added, B_t),
    )
    h_t = torch.zeros_like(h) if driving is None else _recurrence(log_decay, driving)

    y_t = (C * h_t).sum(2)
    if C_t is not None:
        y_t = y_t + (C_t * h).sum(2)
    if t.D is not None:
        y_t = y_t + t.D.unsqueeze(-1) * u
    if inputs.D is not None and t.u is not None:
        y_t = y_t + inputs.D.unsqueeze(-1) * t.u
    return y_t, h_t[..., -1]


def map_tangent(inputs: MapInputs, tangents: MapTangents, delta_softplus: bool) -> Tensor:
    """The tangent of `ss2d_scan`'s result, (B, H, W, E), in the state's type, which A has."""
    dtype, rank = inputs.A.dtype, inputs.dt_weight.shape[2]

    def routes_of(x: Tensor, projections: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return lay_out(x.to(dtype), projections.to(dtype), rank)

    def expanded(dt: Tensor, weight: Tensor) -> Tensor:
        return torch.einsum('bkrl,ker->bkel', dt, weight).flatten(1, 2)

    u, dt, B, C = routes_of(inputs.x, inputs.projections)
    u_t, dt_t, B_t, C_t = routes_of(
        torch.zeros_like(inputs.x) if tangents.x is None else tangents.x,
        torch.zeros_like(inputs.projections)
        if tangents.projections is None
        else tangents.projections,
    )
    delta_t = expanded(dt_t, inputs.dt_weight)
    if tangents.dt_weight is not None:
        delta_t = delta_t + expanded(dt, tangents.dt_weight)
    delta = expanded(dt, inputs.dt_weight)
    y_t, _ = scan_tangent(
        ScanInputs(u, delta, inputs.A, B, C, inputs.D, inputs.delta_bias),
        ScanTangents(u_t, delta_t, tangents.A, B_t, C_t, tangents.D, tangents.delta_bias),
        delta_softplus,
    )
    return merge(y_t, *inputs.x.shape[1:3])


def _recurrence(log_decay: Tensor, added: Tensor) -> Tensor:
    """h_t = exp(log_decay_t) h_{t-1} + added_t from 0. Both (B, G*D, N, L) -> h, the same."""
    # Each step is two of the op: one that adds nothing, and one of size 1 that lets nothing decay,
    # as exp(A) is 1. A is a power of 2, so that its division and product lose nothing.
    A = torch.finfo(added.dtype).eps ** 2
    steps = torch.stack((log_decay / A, torch.ones_like(log_decay)), -1)
    inputs = torch.stack((torch.zeros_like(added), added), -1)
    batch, channels, state, length = added.shape
    ones = added.new_ones(batch, 1, 1, 2 * length)
    h, _, _ = torch.ops.selective_scan.forward(
        inputs.reshape(batch, channels * state, 2 * length),
        steps.reshape(batch, channels * state, 2 * length),
        added.new_full((channels * state, 1), A),
        ones,
        ones,
        None,
        None,
        False,
        added.dtype,
    )
    return h.view(*added.shape, 2)[..., 1]


def _unsqueezed(tensor: Tensor | None, dim: int) -> Tensor | None:
    return None if tensor is None else tensor.unsqueeze(dim)


def _product(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return None if a is None or b is None else a * b


def _sum(*terms: Tensor | None) -> Tensor | None:
    present = [term for term in terms if term is not None]
    return sum(present[1:], present[0]) if present else None
