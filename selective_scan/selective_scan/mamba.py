# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The scan with the signature of the `mamba_ssm` package, for code written against it."""

import torch
from torch import Tensor

from .checks import as_state, check_tensors, state_dtype
from .ops import selective_scan


def selective_scan_fn(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    return_last_state: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """`selective_scan` under the name and with the argument order of `mamba_ssm`.

    Real A only. Beyond `selective_scan`, B and C may each be constant over the sequence, in any
    floating type. A constant one is expanded to (B, G*D, N, L), and the other with it, in the
    state's type: a convenience, not a fast path.

    Args:
        u, delta, A, D, z, delta_bias, delta_softplus: as in `selective_scan`.
        B, C: (G*D, N) constant, (B, N, L), or (B, G, N, L).
        return_last_state: also return the state after the last step.

    Returns:
        y: (B, G*D, L) in the type of u, and with `return_last_state` the state, (B, G*D, N).

    Raises:
        RuntimeError, TypeError, ImportError, NotImplementedError: as `selective_scan`. A constant B
            or C of an integer, bool or complex type is a RuntimeError, and never cast.
    """
    check_tensors({'u': u, 'A': A, 'B': B, 'C': C}, {})
    if B.dim() == 2 or C.dim() == 2:
        if u.dim() != 3:
            raise RuntimeError(f'u must be (batch, channels, length), got {u.dim()} dimensions')
        if A.dim() != 2:
            raise RuntimeError(f'A must be (channels, state), got {A.dim()} dimensions')
        B, C = _per_channel('B', B, u, A), _per_channel('C', C, u, A)
    return selective_scan(
        u,
        delta,
        A,
        B,
        C,
        D,
        delta_bias=delta_bias,
        delta_softplus=delta_softplus,
        z=z,
        return_last_state=return_last_state,
    )


def _per_channel(arg: str, weight: Tensor, u: Tensor, A: Tensor) -> Tensor:
    """Weights of each channel of its own: (G*D, N), (B, N, L) or (B, G, N, L) -> (B, G*D, N, L).

    In the state's type, in which the gradients of what is repeated are added up too.
    """
    batch, channels, length = u.shape
    if weight.dim() == 2:
        if weight.shape != A.shape:
            raise RuntimeError(
                f'{arg} must have shape {list(A.shape)} when constant, got {list(weight.shape)}'
            )
        weight = as_state(arg, weight, state_dtype(u))
        return weight[None, :, :, None].expand(batch, -1, -1, length)
    groups = weight.shape[1] if weight.dim() == 4 else 1
    if weight.dim() not in (3, 4) or groups == 0 or channels % groups:
        raise RuntimeError(
            f'{arg} must be (channels, state), (batch, state, length) or (batch, groups, state, '
            f'length) with groups that divide {channels} channels, got {list(weight.shape)}'
        )
    weight = weight if weight.dim() == 4 else weight.unsqueeze(1)
    if weight.dtype in (torch.float16, torch.bfloat16):  # other types are the op's to judge
        weight = weight.float()
    return weight.repeat_interleave(channels // groups, dim=1)
