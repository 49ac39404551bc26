# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The scans in plain torch: the specification that the compiled ops are held to."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import (
    as_state,
    check_dtypes,
    check_gate,
    check_inputs,
    check_map_inputs,
    check_tensors,
    out_dtype_or,
    state_dtype,
)


def selective_scan_ref(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    *,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    z: Tensor | None = None,
    return_last_state: bool = False,
    out_dtype: torch.dtype | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Scan step by step, as written in Gu and Dao, "Mamba" (2023), equation 2 and algorithm 2.

    Arguments, results and errors are those of `selective_scan.selective_scan`, but for the
    ImportError: it needs no kernels. It is slow: one Python step for each of the L positions.
    """
    check_tensors(
        {'u': u, 'delta': delta, 'A': A, 'B': B, 'C': C}, {'D': D, 'delta_bias': delta_bias, 'z': z}
    )
    check_dtypes('u', u, {'delta': delta, 'B': B, 'C': C})
    dtype, out_dtype = state_dtype(u), out_dtype_or(out_dtype, u)
    check_gate(u, z, out_dtype)
    A = as_state('A', A, dtype)
    D = None if D is None else as_state('D', D, dtype)
    delta_bias = None if delta_bias is None else as_state('delta_bias', delta_bias, dtype)
    B = B.unsqueeze(1) if B.dim() == 3 else B
    C = C.unsqueeze(1) if C.dim() == 3 else C
    check_inputs(u, delta, A, B, C, D, delta_bias, out_dtype)

    y, state = _scan(u, delta, A, B, C, D, delta_bias, delta_softplus)
    y = (y if z is None else gated(y, z)).to(out_dtype)
    return (y, state) if return_last_state else y


def gated(y: Tensor, z: Tensor) -> Tensor:
    """y times silu(z), where y has the state's type and z any floating type: the wider of them."""
    return y * F.silu(z if z.dtype == torch.float64 else z.to(y.dtype))


def _scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
) -> tuple[Tensor, Tensor]:
    """The result and the last state, both in the state's type, which A, D and delta_bias have."""
    rows = u.shape[1] // B.shape[1]  # channels that share one B and one C
    x, step = u.to(A.dtype), delta.to(A.dtype)
    if delta_bias is not None:
        step = step + delta_bias[:, None]
    if delta_softplus:
        step = F.softplus(step)
    B = B.to(A.dtype).repeat_interleave(rows, dim=1)  # (B, G*D, N, L)
    C = C.to(A.dtype).repeat_interleave(rows, dim=1)

    state = x.new_zeros(*x.shape[:2], A.shape[1])  # (B, G*D, N)
    outputs = []
    # unbind, as each x[..., t] would have a gradient of the size of x
    for x_t, step_t, B_t, C_t in zip(*(v.unbind(-1) for v in (x, step, B, C)), strict=True):
        decay = torch.exp(step_t[..., None] * A)
        state = decay * state + (step_t * x_t)[..., None] * B_t
        outputs.append((state * C_t).sum(-1))
    y = torch.stack(outputs, dim=-1)
    return (y if D is None else y + D[:, None] * x), state


def route_positions(height: int, width: int) -> Tensor:
    """The positions (row * width + column) that each of the four routes visits. -> (4, H*W)"""
    positions = torch.arange(height * width).view(height, width)
    forward = torch.stack((positions.flatten(), positions.t().flatten()))
    return torch.cat((forward, forward.flip(1)))


def ss2d_scan_ref(
    x: Tensor,
    projections: Tensor,
    dt_weight: Tensor,
    A: Tensor,
    D: Tensor | None = None,
    *,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    out_dtype: torch.dtype | None = None,
) -> Tensor:
    """Lay the map out along each route, scan step by step, bring back and add.

    Arguments, result and errors are those of `selective_scan.ss2d_scan`, but for the ImportError:
    it needs no kernels. It is slow, and makes tensors of four times the map.
    """
    check_tensors(
        {'x': x, 'projections': projections, 'dt_weight': dt_weight, 'A': A},
        {'D': D, 'delta_bias': delta_bias},
    )
    check_dtypes('x', x, {'projections': projections})
    dtype, out_dtype = state_dtype(x), out_dtype_or(out_dtype, x)
    dt_weight, A = as_state('dt_weight', dt_weight, dtype), as_state('A', A, dtype)
    D = None if D is None else as_state('D', D, dtype)
    delta_bias = None if delta_bias is None else as_state('delta_bias', delta_bias, dtype)
    check_map_inputs(x, projections, dt_weight, A, D, delta_bias, out_dtype)

    u, dt, B, C = lay_out(x.to(dtype), projections.to(dtype), dt_weight.shape[2])
    y, _ = _scan(
        u,
        torch.einsum('bkrl,ker->bkel', dt, dt_weight).flatten(1, 2),
        A,
        B,
        C,
        D,
        delta_bias,
        delta_softplus,
    )
    return merge(y, *x.shape[1:3]).to(out_dtype)


def lay_out(x: Tensor, projections: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A map and its projections along the four routes.

    x: (B, H, W, E), projections: (B, H, W, K, R + 2N) -> u: (B, K*E, L), dt: (B, K, R, L), B and C:
    (B, K, N, L).
    """
    height, width = x.shape[1:3]
    positions = route_positions(height, width).to(x.device)
    u = x.flatten(1, 2)[:, positions]  # (B, K, L, E)
    routes = torch.arange(len(positions), device=x.device)[:, None]
    projected = projections.flatten(1, 2)[:, positions, routes]  # (B, K, L, R + 2N)
    state = (projections.shape[-1] - rank) // 2
    dt, B, C = projected.transpose(2, 3).split((rank, state, state), dim=2)
    return u.transpose(2, 3).flatten(1, 2), dt, B, C


def merge(y: Tensor, height: int, width: int) -> Tensor:
    """The four routes' results added at each position. (B, K*E, L) -> (B, H, W, E)"""
    positions = route_positions(height, width).to(y.device)
    y = y.unflatten(1, (len(positions), -1)).transpose(2, 3)  # (B, K, L, E)
    back = positions.argsort(dim=1)
    merged = torch.stack([y[:, route, order] for route, order in enumerate(back)]).sum(0)
    return merged.unflatten(1, (height, width))
