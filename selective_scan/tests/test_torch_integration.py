# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How the op meets the rest of torch: schema, fakes, compile, export."""

import pytest
import torch
from inputs import make_inputs
from selective_scan import selective_scan

KEYS = ('u', 'delta', 'A', 'B', 'C', 'D', 'delta_bias')


def op_arguments(optional, *, length=70, dtype=torch.float32, requires_grad=True):
    inputs = make_inputs(2, 2, 3, 2, length, dtype=dtype, optional=optional)
    tensors = [inputs.get(key) for key in KEYS]
    for tensor in tensors:
        if tensor is not None:
            tensor.requires_grad_(requires_grad)
    return tensors


@pytest.mark.parametrize(
    'optional', [(), ('D',), ('delta_bias',), ('D', 'delta_bias')], ids='-'.join
)
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_opcheck_forward(optional, dtype):
    arguments = (*op_arguments(optional, dtype=dtype), True, dtype)
    torch.library.opcheck(torch.ops.selective_scan.forward.default, arguments)


@pytest.mark.parametrize('optional', [(), ('D', 'delta_bias')], ids='-'.join)
@pytest.mark.parametrize('with_dlast', [False, True])
def test_opcheck_backward(optional, with_dlast):
    tensors = op_arguments(optional, length=130, requires_grad=False)
    y, last, states = torch.ops.selective_scan.forward(*tensors, True, torch.float32)
    dlast = torch.ones_like(last) if with_dlast else None
    arguments = (torch.ones_like(y), dlast, *tensors, states, True)
    torch.library.opcheck(
        torch.ops.selective_scan.backward.default,
        arguments,
        test_utils=('test_schema', 'test_faketensor'),
    )


class Scan(torch.nn.Module):
    def forward(self, u, delta, A, B, C, D, delta_bias, z):
        return selective_scan(u, delta, A, B, C, D, delta_bias=delta_bias, delta_softplus=True, z=z)


def test_compile_in_one_graph():
    inputs = make_inputs(1, 2, 3, 2, 40, dtype=torch.float32)
    leaves = [v.clone().requires_grad_() for v in inputs.values()]
    compiled_leaves = [v.clone().requires_grad_() for v in inputs.values()]
    y = Scan()(*leaves)
    compiled = torch.compile(Scan(), fullgraph=True, backend='aot_eager')
    compiled_y = compiled(*compiled_leaves)
    torch.testing.assert_close(compiled_y, y)
    y.sum().backward()
    compiled_y.sum().backward()
    for a, b in zip(compiled_leaves, leaves, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_export_with_dynamic_length():
    inputs = tuple(make_inputs(1, 2, 3, 2, 40, dtype=torch.float32).values())
    length = torch.export.Dim('length', min=2, max=4096)
    shapes = [{tensor.dim() - 1: length} if tensor.dim() > 2 else None for tensor in inputs]
    program = torch.export.export(Scan(), inputs, dynamic_shapes=tuple(shapes))
    longer = tuple(make_inputs(1, 2, 3, 2, 301, dtype=torch.float32).values())
    torch.testing.assert_close(program.module()(*longer), Scan()(*longer))


def test_meta_tensors_give_shapes():
    inputs = {k: v.to('meta') for k, v in make_inputs(2, 2, 3, 5, 300).items()}
    y, state = selective_scan(**inputs, return_last_state=True)
    assert y.shape == (2, 6, 300) and y.device.type == 'meta' and y.dtype == torch.float64
    assert state.shape == (2, 6, 5)
