# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The scan of a map along four routes as one op: wrapper, fakes, autograd."""

import torch
from torch import Tensor

from . import derivatives
from .checks import (
    as_state,
    check_dtypes,
    check_map_gradients,
    check_map_inputs,
    check_tensors,
    out_dtype_or,
    state_dtype,
)
from .library import LIBRARY, MAP_CHUNK, require
from .tangents import MapInputs, MapTangents, map_tangent


def ss2d_scan(
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
    """Scan a map along four routes and add the four results at each position.

    The core of VMamba's SS2D (Liu et al., "VMamba: Visual State Space Model", 2024, section 4.2)
    without its copies: cross-scan, selective scan and cross-merge in one pass over the map. Route 0
    reads the map row by row, 1 column by column, 2 and 3 are 0 and 1 reversed. Each route k is a
    `selective_scan` with parameters of its own, of which the position-dependent ones come as they
    leave one linear layer: at each position, `projections[..., k, :]` holds `[dt (R) | B (N) |
    C (N)]`, and the step size of channel e is `<dt_weight[k, e], dt> + delta_bias[k*E + e]`.
    The state is float32, or float64 for float64 input. Differentiable in every tensor argument:
    once in reverse, and in forward mode, whose derivatives can be differentiated again. Autocast
    changes nothing: the op takes the types it is given and never lowers one.

    A map of height 1 is a sequence with two scans forward (routes 0, 1) and two backward (2, 3).

    Args:
        x: (B, H, W, E), the map: float32, float16, bfloat16 or float64.
        projections: (B, H, W, K, R + 2N) with K = 4: float32, float16 or bfloat16 next to x of
            these types; float64 with float64 x.
        dt_weight: (K, E, R), expands the low-rank step sizes; any floating type.
        A: (K*E, N), the decay rates, negative for a stable scan; any floating type.
        D: (K*E,), the skip of each route; none when absent.
        delta_bias: (K*E,), added to the step sizes; none when absent.
        delta_softplus: pass the step sizes through softplus.
        out_dtype: the type of the result: that of x (the default) or that of the state.

    Returns:
        y: (B, H, W, E) in `out_dtype`.

    Raises:
        RuntimeError: an argument has a wrong shape, type or device; the message names it.
        TypeError: an argument is no tensor, or `out_dtype` no type; the message names it.
        NotImplementedError: gradients of this scan are differentiated, in reverse or forward mode.
        ImportError: the compiled kernels are missing; the message says how to build them.
    """
    check_tensors(
        {'x': x, 'projections': projections, 'dt_weight': dt_weight, 'A': A},
        {'D': D, 'delta_bias': delta_bias},
    )
    require(x.device)
    check_dtypes('x', x, {'projections': projections})
    dtype, out_dtype = state_dtype(x), out_dtype_or(out_dtype, x)
    y, _ = torch.ops.selective_scan.ss2d_forward(
        x,
        projections,
        as_state('dt_weight', dt_weight, dtype),
        as_state('A', A, dtype),
        None if D is None else as_state('D', D, dtype),
        None if delta_bias is None else as_state('delta_bias', delta_bias, dtype),
        delta_softplus,
        out_dtype,
    )
    return y


def _forward_fake(x, projections, dt_weight, A, D, delta_bias, delta_softplus, out_dtype):
    check_map_inputs(x, projections, dt_weight, A, D, delta_bias, out_dtype)
    batch, height, width, channels = x.shape
    chunks = (height * width + MAP_CHUNK - 1) // MAP_CHUNK
    return (
        x.new_empty(batch, height, width, channels, dtype=out_dtype),
        A.new_empty(batch, dt_weight.shape[0], chunks + 1, A.shape[1], channels),
    )


def _backward_fake(dy, x, projections, dt_weight, A, D, delta_bias, states, delta_softplus):
    check_map_inputs(x, projections, dt_weight, A, D, delta_bias, dy.dtype)
    check_map_gradients(x, dy, states, MAP_CHUNK)
    return tuple(
        A.new_empty(0) if tensor is None else tensor.new_empty(tensor.shape)
        for tensor in (x, projections, dt_weight, A, D, delta_bias)
    )


def _setup_context(ctx, inputs, outputs):
    *tensors, ctx.delta_softplus, _ = inputs
    states = outputs[1]
    ctx.save_for_backward(*tensors, states)
    ctx.mark_non_differentiable(states)


def _jvp(inputs, tangents):
    *tensors, delta_softplus, out_dtype = inputs
    y = map_tangent(MapInputs(*tensors), MapTangents(*tangents[:-2]), delta_softplus)
    return y.to(out_dtype), None


def _backward(ctx, dy, _):
    if dy is None:
        return (None,) * 8
    *tensors, D, delta_bias, states = ctx.saved_tensors
    *required, dD, dbias = torch.ops.selective_scan.ss2d_backward(
        dy, *tensors, D, delta_bias, states, ctx.delta_softplus
    )
    return (
        *required,
        None if D is None else dD,
        None if delta_bias is None else dbias,
        None,
        None,
    )


if LIBRARY is not None:
    torch.library.register_fake('selective_scan::ss2d_forward', _forward_fake)
    torch.library.register_fake('selective_scan::ss2d_backward', _backward_fake)
    derivatives.register('ss2d_forward', setup_context=_setup_context, backward=_backward, jvp=_jvp)
    derivatives.register_last('ss2d_backward', of='ss2d_scan')
