# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How the op meets the rest of torch: schema, fakes, compile, export."""

import shutil

import pytest
import torch
from build_cache import folder, tools
from inputs import make_inputs, make_map_inputs
from selective_scan import selective_scan, ss2d_scan
from torch._functorch import config as functorch_config
from torch._inductor import config as inductor_config
from torch.utils.flop_counter import FlopCounterMode

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


MAP_KEYS = ('x', 'projections', 'dt_weight', 'A', 'D', 'delta_bias')
MAP_OPTIONAL = pytest.mark.parametrize(
    'optional', [(), ('D',), ('delta_bias',), ('D', 'delta_bias')], ids='-'.join
)


@MAP_OPTIONAL
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_opcheck_map_forward(optional, dtype):
    inputs = make_map_inputs(2, 5, 14, 6, 2, 3, dtype=dtype, optional=optional)
    tensors = [inputs[k].requires_grad_() if k in inputs else None for k in MAP_KEYS]
    torch.library.opcheck(torch.ops.selective_scan.ss2d_forward.default, (*tensors, True, dtype))


@MAP_OPTIONAL
def test_opcheck_map_backward(optional):
    inputs = make_map_inputs(2, 5, 14, 6, 2, 3, dtype=torch.float32, optional=optional)
    tensors = [inputs.get(key) for key in MAP_KEYS]
    y, states = torch.ops.selective_scan.ss2d_forward(*tensors, True, torch.float32)
    torch.library.opcheck(
        torch.ops.selective_scan.ss2d_backward.default,
        (torch.ones_like(y), *tensors, states, True),
        test_utils=('test_schema', 'test_faketensor'),
    )


class MapScan(torch.nn.Module):
    def forward(self, x, projections, dt_weight, A, D, delta_bias):
        return ss2d_scan(
            x, projections, dt_weight, A, D, delta_bias=delta_bias, delta_softplus=True
        )


def test_compile_with_dynamic_shapes():
    graphs = []

    def count(graph, example_inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    scan = torch.compile(Scan(), fullgraph=True, dynamic=True, backend=count)
    map_scan = torch.compile(MapScan(), fullgraph=True, dynamic=True, backend=count)
    for size in (5, 9, 23):
        inputs = make_inputs(2, 2, 3, 2, 10 * size, dtype=torch.float32).values()
        torch.testing.assert_close(scan(*inputs), Scan()(*inputs))
        inputs = make_map_inputs(2, size, size + 3, 6, 2, 3, dtype=torch.float32).values()
        torch.testing.assert_close(map_scan(*inputs), MapScan()(*inputs))
    assert len(graphs) == 2


def test_compile_the_gradients_of_a_map_scan():
    inputs = make_map_inputs(2, 5, 7, 6, 2, 3, dtype=torch.float32).values()
    leaves, compiled_leaves = ([v.clone().requires_grad_() for v in inputs] for _ in range(2))
    torch._dynamo.reset()
    compiled = torch.compile(MapScan(), fullgraph=True, dynamic=True, backend='aot_eager')
    MapScan()(*leaves).square().sum().backward()
    compiled(*compiled_leaves).square().sum().backward()
    for a, b in zip(compiled_leaves, leaves, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


@pytest.fixture
def inductor(monkeypatch):
    """Inductor does its own work each time, and finds again what g++ made of the same code."""
    graphs = inductor_config.patch(fx_graph_cache=False)
    gradients = functorch_config.patch(enable_autograd_cache=False)
    with folder('inductor', tools('g++')) as cache, graphs, gradients:
        monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', str(cache))
        yield 'inductor'


@pytest.mark.slow
@pytest.mark.skipif(shutil.which('g++') is None, reason='inductor needs a C++ compiler on a CPU')
@pytest.mark.skipif(' ' in torch.__file__, reason="inductor's g++ takes no folder with a blank")
def test_inductor_compiles_around_the_op(inductor):
    class Around(torch.nn.Module):
        def forward(self, x, *others):
            return torch.nn.functional.silu(MapScan()(torch.nn.functional.gelu(x), *others))

    torch._dynamo.reset()
    compiled = torch.compile(Around(), fullgraph=True, dynamic=True, backend=inductor)
    for size in (5, 9):
        inputs = make_map_inputs(2, size, size + 2, 6, 2, 3, dtype=torch.float32).values()
        leaves, compiled_leaves = ([v.clone().requires_grad_() for v in inputs] for _ in range(2))
        want, got = Around()(*leaves), compiled(*compiled_leaves)
        torch.testing.assert_close(got, want)
        want.square().sum().backward()
        got.square().sum().backward()
        for a, b in zip(compiled_leaves, leaves, strict=True):
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-5)


def test_export_a_map_scan_of_any_size():
    inputs = tuple(make_map_inputs(2, 5, 7, 6, 2, 3, dtype=torch.float32).values())
    height, width = (torch.export.Dim(side, min=2, max=512) for side in ('height', 'width'))
    shapes = tuple({1: height, 2: width} if v.dim() > 3 else None for v in inputs)
    program = torch.export.export(MapScan(), inputs, dynamic_shapes=shapes)
    larger = tuple(make_map_inputs(2, 19, 4, 6, 2, 3, dtype=torch.float32).values())
    torch.testing.assert_close(program.module()(*larger), MapScan()(*larger))


def test_autocast_changes_no_type():
    inputs = make_inputs(dtype=torch.float32, optional=())
    low = {k: v.bfloat16() if k in ('u', 'delta', 'B', 'C') else v for k, v in inputs.items()}
    map_inputs = make_map_inputs(dtype=torch.float32, optional=())
    without_autocast = selective_scan(**inputs)
    with torch.autocast('cpu', torch.bfloat16):
        y = selective_scan(**inputs)
        assert y.dtype == torch.float32 and torch.equal(y, without_autocast)
        y, state = selective_scan(**low, return_last_state=True)
        assert y.dtype == torch.bfloat16 and state.dtype == torch.float32
        assert ss2d_scan(**map_inputs).dtype == torch.float32
        # What a linear layer gives under autocast, next to a float32 map.
        map_inputs['projections'] = map_inputs['projections'].bfloat16()
        assert ss2d_scan(**map_inputs).dtype == torch.float32
        map_inputs['x'] = map_inputs['x'].bfloat16()
        assert ss2d_scan(**map_inputs).dtype == torch.bfloat16
        assert ss2d_scan(**map_inputs, out_dtype=torch.float32).dtype == torch.float32


def flops(run):
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def test_flops():
    inputs = make_inputs(2, 2, 3, 5, 40, dtype=torch.float32, optional=('D', 'delta_bias'))
    elements = 2 * 6 * 40
    required = {k: v for k, v in inputs.items() if k not in ('D', 'delta_bias')}
    assert flops(lambda: selective_scan(**required)) == elements * (7 * 5 + 1)
    forward = elements * (7 * 5 + 1 + 4)  # skip 2, bias 1, softplus 1
    assert flops(lambda: selective_scan(**inputs, delta_softplus=True)) == forward

    inputs['u'].requires_grad_()
    total = flops(lambda: selective_scan(**inputs, delta_softplus=True).sum().backward())
    assert total == forward + elements * (20 * 5 + 3 + 3 + 4 + 1 + 2)


def test_flops_of_a_map_scan():
    inputs = make_map_inputs(2, 3, 4, 5, 2, 6, dtype=torch.float32, optional=())
    elements = 4 * 2 * 3 * 4 * 5
    forward = elements * (7 * 2 + 1 + 2 * 6) + 3 * elements // 4
    assert flops(lambda: ss2d_scan(**inputs)) == forward
    inputs['x'].requires_grad_()
    total = flops(lambda: ss2d_scan(**inputs).sum().backward())
    assert total == forward + elements * (20 * 2 + 1 + 3 + 6 * 6) + 3 * elements // 4
