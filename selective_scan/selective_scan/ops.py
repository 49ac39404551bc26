# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The public function and what torch has to know of the compiled op: fakes and autograd."""

import torch
from torch import Tensor

from . import derivatives, flops
from .checks import (
    as_state,
    check_dtypes,
    check_gate,
    check_gradients,
    check_inputs,
    check_tensors,
    out_dtype_or,
    state_dtype,
)
from .library import CHUNK, LIBRARY, require
from .reference import gated
from .tangents import ScanInputs, ScanTangents, scan_tangent


def selective_scan(
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
    """Scan each channel with step sizes that depend on the input.

    With `d = delta + delta_bias`, through softplus when asked, each channel follows
    `h_t = exp(d_t A) h_{t-1} + d_t B_t u_t` from `h_0 = 0` and gives `y_t = <C_t, h_t> + D u_t`
    (Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023,
    equation 2 and algorithm 2). The state is float32, or float64 for float64 input.
    Differentiable in every tensor argument: once in reverse, and in forward mode, whose derivatives
    can be differentiated again; see `torch.func`. Autocast changes nothing: the op takes the types
    it is given, half precision among them, and never lowers one. Between them all is in the state's
    type, gate included: results and gradients are rounded once.

    Args:
        u: (B, G*D, L), the input: float32, float16, bfloat16 or float64.
        delta: (B, G*D, L), the step sizes. delta, B and C may each be float32, float16 or
            bfloat16 next to u of these types; with float64 u they are float64.
        A: (G*D, N), the decay rates, negative for a stable scan; any floating type.
        B: (B, G, N, L) or (B, N, L), input weights; channel c reads group `c // D`.
        C: (B, G, N, L) or (B, N, L), output weights, as B.
        D: (G*D,), the skip; none when absent.
        delta_bias: (G*D,), added to delta; none when absent.
        delta_softplus: pass the step sizes through softplus.
        z: (B, G*D, L), a gate, any floating type: the result is multiplied by `silu(z)`.
        return_last_state: also return the state after the last step.
        out_dtype: the type of the result: that of u (the default) or that of the state.

    Returns:
        y: (B, G*D, L) in `out_dtype`, and with `return_last_state` the state, (B, G*D, N).

    Raises:
        RuntimeError: an argument has a wrong shape, type or device; the message names it.
        TypeError: an argument is no tensor, or `out_dtype` no type; the message names it.
        NotImplementedError: gradients of this scan are differentiated, in reverse or forward mode.
        ImportError: the compiled kernels are missing; the message says how to build them.
    """
    check_tensors(
        {'u': u, 'delta': delta, 'A': A, 'B': B, 'C': C}, {'D': D, 'delta_bias': delta_bias, 'z': z}
    )
    require(u.device)
    check_dtypes('u', u, {'delta': delta, 'B': B, 'C': C})
    dtype, out_dtype = state_dtype(u), out_dtype_or(out_dtype, u)
    check_gate(u, z, out_dtype)
    y, last_state, _ = torch.ops.selective_scan.forward(
        u,
        delta,
        as_state('A', A, dtype),
        B.unsqueeze(1) if B.dim() == 3 else B,
        C.unsqueeze(1) if C.dim() == 3 else C,
        None if D is None else as_state('D', D, dtype),
        None if delta_bias is None else as_state('delta_bias', delta_bias, dtype),
        delta_softplus,
        out_dtype if z is None else dtype,
    )
    if z is not None:
        y = gated(y, z).to(out_dtype)
    return (y, last_state) if return_last_state else y


def _forward_fake(u, delta, A, B, C, D, delta_bias, delta_softplus, out_dtype):
    check_inputs(u, delta, A, B, C, D, delta_bias, out_dtype)
    batch, channels, length = u.shape
    chunks = (length + CHUNK - 1) // CHUNK
    return (
        u.new_empty(batch, channels, length, dtype=out_dtype),
        A.new_empty(batch, channels, A.shape[1]),
        A.new_empty(batch, channels, chunks + 1, A.shape[1]),
    )


def _backward_fake(dy, dlast, u, delta, A, B, C, D, delta_bias, states, delta_softplus):
    check_inputs(u, delta, A, B, C, D, delta_bias, dy.dtype)
    check_gradients(u, dy, dlast, states, CHUNK)

    def gradient(tensor):
        return A.new_empty(0) if tensor is None else tensor.new_empty(tensor.shape)

    return tuple(gradient(tensor) for tensor in (u, delta, A, B, C, D, delta_bias))


def _backward(ctx, dy, dlast, _):
    u, delta, A, B, C, D, delta_bias, states = ctx.saved_tensors
    if dy is None and dlast is None:
        return (None,) * 9
    if dy is None:
        dy = u.new_zeros(u.shape, dtype=ctx.out_dtype)
    *required, dD, dbias = torch.ops.selective_scan.backward(
        dy, dlast, u, delta, A, B, C, D, delta_bias, states, ctx.delta_softplus
    )
    return (
        *required,
        None if D is None else dD,
        None if delta_bias is None else dbias,
        None,
        None,
    )


def _jvp(inputs, tangents):
    *tensors, delta_softplus, out_dtype = inputs
    y, last_state = scan_tangent(ScanInputs(*tensors), ScanTangents(*tangents[:-2]), delta_softplus)
    return y.to(out_dtype), last_state, None


def _setup_context(ctx, inputs, outputs):
    *tensors, ctx.delta_softplus, ctx.out_dtype = inputs
    states = outputs[2]
    ctx.save_for_backward(*tensors, states)
    ctx.mark_non_differentiable(states)


if LIBRARY is not None:
    torch.library.register_fake('selective_scan::forward', _forward_fake)
    torch.library.register_fake('selective_scan::backward', _backward_fake)
    derivatives.register('forward', setup_context=_setup_context, backward=_backward, jvp=_jvp)
    derivatives.register_last('backward', of='selective_scan')
    flops.register()
