# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What `torch.utils.flop_counter` counts for the ops.

Each addition, multiplication and elementary function is one operation, as written in the
recurrence, whatever the kernels do to compute it. The functions take the arguments of the ops, and
where these are tensors their shapes; an absent one is None.
"""

from math import prod

import torch
from torch.utils.flop_counter import register_flop_formula

# Of each state and step. Forward: step * A, exp, decay * h + input * B (3), + C * h (2).
FORWARD = 7
# Backward: the states again (5), g = C * dy + decay * g (3), dC += dy * h, dB += g * input,
# dinput += g * B (2 each), dlog_decay = g * h * decay (2), dA += dlog_decay * step and
# dstep += dlog_decay * A (2 each).
BACKWARD = 20


def _forward(elements: int, state: int, skip: bool, bias: bool, softplus: bool) -> int:
    # step * u, D * u added, bias added, softplus
    return elements * (FORWARD * state + 1 + 2 * skip + bias + softplus)


def _backward(elements: int, state: int, skip: bool, bias: bool, softplus: bool) -> int:
    # The steps again and step * u; dstep += dinput * u, du = dinput * step (3); with a skip
    # du += D * dy and dD += dy * u (4); the sum for the bias; the derivative of softplus (2).
    steps = 1 + bias + softplus
    return elements * (BACKWARD * state + steps + 3 + 4 * skip + bias + 2 * softplus)


def scan_flops(u, delta, A, B, C, D, delta_bias, delta_softplus, *args, out_shape=None):
    return _forward(prod(u), A[1], D is not None, delta_bias is not None, delta_softplus)


def scan_backward_flops(
    dy, dlast, u, delta, A, B, C, D, delta_bias, states, delta_softplus, *args, out_shape=None
):
    return _backward(prod(u), A[1], D is not None, delta_bias is not None, delta_softplus)


def ss2d_flops(x, projections, dt_weight, A, D, delta_bias, delta_softplus, *args, out_shape=None):
    routes, _, rank = dt_weight
    elements = routes * prod(x)
    scans = _forward(elements, A[1], D is not None, delta_bias is not None, delta_softplus)
    return scans + elements * 2 * rank + (routes - 1) * prod(x)  # expanded steps, sum of routes


def ss2d_backward_flops(
    dy, x, projections, dt_weight, A, D, delta_bias, states, delta_softplus, *args, out_shape=None
):
    routes, _, rank = dt_weight
    elements = routes * prod(x)
    scans = _backward(elements, A[1], D is not None, delta_bias is not None, delta_softplus)
    # The steps expanded again, ddt, ddt_weight; dx summed.
    return scans + elements * 6 * rank + (routes - 1) * prod(x)


def register() -> None:
    """Tell torch which function counts which op."""
    ops = torch.ops.selective_scan
    register_flop_formula(ops.forward)(scan_flops)
    register_flop_formula(ops.backward)(scan_backward_flops)
    register_flop_formula(ops.ss2d_forward)(ss2d_flops)
    register_flop_formula(ops.ss2d_backward)(ss2d_backward_flops)
