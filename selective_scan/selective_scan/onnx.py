# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""ONNX translations of the ops, onto ONNX's own Scan: a loop in each direction, never unrolled.

    torch.onnx.export(
        model, inputs, dynamo=True, custom_translation_table=translation_table()
    )

Needs `onnxscript`, as torch's exporter does. The exported model computes in the state's type.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, Union

import torch
from onnxscript import DOUBLE, FLOAT, graph, ir, script
from onnxscript import opset18 as op

T = TypeVar('T', bound=Union[FLOAT, DOUBLE])  # noqa: UP007  (ONNX Script reads no other)


def translation_table() -> dict[torch._ops.OpOverload, Callable]:
    """What `torch.onnx.export` takes as `custom_translation_table` for models with these ops."""
    ops = torch.ops.selective_scan
    return {ops.forward.default: _selective_scan, ops.ss2d_forward.default: _ss2d_scan}


@script(default_opset=op)
def _scan(
    h: T,
    A: T,
    u: T,
    d: T,
    B: T,
    C: T,
    axes: Sequence[int],
    directions: Sequence[int],
    out_axes: Sequence[int],
    out_directions: Sequence[int],
) -> tuple[T, T]:
    """Results, shaped like u, and the last state.

    h: (batch, groups, rows, state), the first state; A: (groups, rows, state); u and step sizes d:
    (batch, groups, rows), and B, C: (batch, groups, state), each with a length beside these.
    """

    @graph()
    def step(h, A, u, d, B, C):
        decay = op.Exp(op.Unsqueeze(d, [-1]) * A)
        h_next = decay * h + op.Unsqueeze(d * u, [-1]) * op.Unsqueeze(B, [-2])
        y = op.ReduceSum(h_next * op.Unsqueeze(C, [-2]), [-1], keepdims=0)
        A_same = op.Identity(A)
        return h_next, A_same, y

    last, _, y = op.Scan(
        h,
        A,
        u,
        d,
        B,
        C,
        body=step,
        num_scan_inputs=4,
        scan_input_axes=axes,
        scan_input_directions=directions,
        scan_output_axes=out_axes,
        scan_output_directions=out_directions,
    )
    return y, last


def _run(u, d, A, B, C, *, length_axis: int, reverse: bool):
    """`_scan` from a state of zeros."""
    zeros = op.Expand(
        op.CastLike(op.Constant(value_float=0.0), A),
        op.Concat(op.Shape(u, start=0, end=1), op.Shape(A), axis=0),
    )
    return _scan(
        zeros,
        A,
        u,
        d,
        B,
        C,
        axes=[length_axis] * 4,
        directions=[int(reverse)] * 4,
        out_axes=[length_axis],
        out_directions=[int(reverse)],
    )


def _state_type(u) -> ir.DataType:
    return ir.DataType.DOUBLE if u.dtype == ir.DataType.DOUBLE else ir.DataType.FLOAT


def _ints(*values: int):
    return op.Constant(value_ints=list(values))


def _reshape(x, *shape: int):
    """Reshape; 0 keeps the size of the axis at that place."""
    return op.Reshape(x, _ints(*shape))


def _selective_scan(
    u, delta, A, B, C, D=None, delta_bias=None, delta_softplus: bool = False, out_dtype: int = 1
):
    groups, (channels, state) = B.shape[1], A.shape
    dtype = _state_type(u)
    u, delta, B, C = (op.Cast(v, to=dtype) for v in (u, delta, B, C))
    if delta_bias is not None:
        delta = op.Add(delta, _reshape(delta_bias, channels, 1))
    if delta_softplus:
        delta = op.Softplus(delta)
    y, last = _run(
        _reshape(u, 0, groups, channels // groups, -1),
        _reshape(delta, 0, groups, channels // groups, -1),
        _reshape(A, groups, channels // groups, state),
        B,
        C,
        length_axis=3,
        reverse=False,
    )
    y = _reshape(y, 0, channels, -1)
    if D is not None:
        y = op.Add(y, op.Mul(_reshape(D, channels, 1), u))
    last = _reshape(last, 0, channels, state)
    # The third result is for backward: a stand-in that nothing reads, and the exporter drops.
    return op.Cast(y, to=out_dtype), last, op.Unsqueeze(last, _ints(2))


def _ss2d_scan(
    x,
    projections,
    dt_weight,
    A,
    D=None,
    delta_bias=None,
    delta_softplus: bool = False,
    out_dtype: int = 1,
):
    routes, channels, rank = dt_weight.shape
    state = A.shape[1]
    dtype = _state_type(x)
    x = op.Cast(x, to=dtype)
    projections = op.Cast(projections, to=dtype)
    by_columns = op.Transpose(x, perm=[0, 2, 1, 3])
    u = _two_orders(_reshape(x, 0, -1, channels), _reshape(by_columns, 0, -1, channels))

    total = None
    for reverse in (False, True):  # routes 0 and 1, then 2 and 3
        first = routes // 2 * reverse
        values = [op.Gather(projections, op.Constant(value_int=first + i), axis=3) for i in (0, 1)]
        values[1] = op.Transpose(values[1], perm=[0, 2, 1, 3])
        size = rank + 2 * state
        projected = _two_orders(*(_reshape(v, 0, -1, size) for v in values))
        dt, B, C = (
            op.Slice(projected, _ints(start), _ints(stop), _ints(3))
            for start, stop in ((0, rank), (rank, rank + state), (rank + state, size))
        )

        def pair(parameter, *shape, first=first):
            """The two routes of a parameter (routes * channels, ...)."""
            whole = _reshape(parameter, routes, channels, *shape)
            return op.Slice(whole, _ints(first), _ints(first + 2), _ints(0))

        delta = op.MatMul(dt, op.Transpose(pair(dt_weight, rank), perm=[0, 2, 1]))
        if delta_bias is not None:
            delta = op.Add(delta, op.Transpose(pair(delta_bias, 1), perm=[0, 2, 1]))
        if delta_softplus:
            delta = op.Softplus(delta)
        y, last = _run(u, delta, pair(A, state), B, C, length_axis=2, reverse=reverse)
        if D is not None:
            y = op.Add(y, op.Mul(op.Transpose(pair(D, 1), perm=[0, 2, 1]), u))
        total = y if total is None else op.Add(total, y)

    rows = op.Reshape(op.Gather(total, op.Constant(value_int=0), axis=1), op.Shape(x))
    columns = op.Reshape(op.Gather(total, op.Constant(value_int=1), axis=1), op.Shape(by_columns))
    y = op.Add(rows, op.Transpose(columns, perm=[0, 2, 1, 3]))
    # The second result is for backward: a stand-in that nothing reads, and the exporter drops.
    return op.Cast(y, to=out_dtype), op.Unsqueeze(last, _ints(2))


def _two_orders(by_rows, by_columns):
    """(batch, L, values) each -> (batch, 2, L, values)"""
    axis = _ints(1)
    return op.Concat(op.Unsqueeze(by_rows, axis), op.Unsqueeze(by_columns, axis), axis=1)
