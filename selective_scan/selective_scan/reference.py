# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The selective scan in plain torch: the specification that the compiled op is held to."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import check_gate, check_inputs, state_dtype


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

    Arguments, results and errors are those of `selective_scan.selective_scan`. It is slow: one
    Python step for each of the L positions.
    """
    dtype = state_dtype(u)
    out_dtype = out_dtype or u.dtype
    A = A.to(dtype)
    D = None if D is None else D.to(dtype)
    delta_bias = None if delta_bias is None else delta_bias.to(dtype)
    B = B.unsqueeze(1) if B.dim() == 3 else B
    C = C.unsqueeze(1) if C.dim() == 3 else C
    check_inputs(u, delta, A, B, C, D, delta_bias, out_dtype)
    check_gate(u, z)

    rows = u.shape[1] // B.shape[1]  # channels that share one B and one C
    x, step = u.to(dtype), delta.to(dtype)
    if delta_bias is not None:
        step = step + delta_bias[:, None]
    if delta_softplus:
        step = F.softplus(step)
    B = B.to(dtype).repeat_interleave(rows, dim=1)  # (B, G*D, N, L)
    C = C.to(dtype).repeat_interleave(rows, dim=1)

    state = x.new_zeros(*x.shape[:2], A.shape[1])  # (B, G*D, N)
    outputs = []
    # unbind, as each x[..., t] would have a gradient of the size of x
    for x_t, step_t, B_t, C_t in zip(*(v.unbind(-1) for v in (x, step, B, C)), strict=True):
        decay = torch.exp(step_t[..., None] * A)
        state = decay * state + (step_t * x_t)[..., None] * B_t
        outputs.append((state * C_t).sum(-1))
    y = torch.stack(outputs, dim=-1)
    if D is not None:
        y = y + D[:, None] * x
    y = y.to(out_dtype)
    if z is not None:
        y = (y * F.silu(z)).to(out_dtype)
    return (y, state) if return_last_state else y
