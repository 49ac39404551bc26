# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The ops on a card, held to the reference on the CPU. Without a card, test_cuda_emulation.py
runs the same kernels."""

import pytest
import torch
from inputs import make_inputs, make_map_inputs, relative_error
from selective_scan import info, selective_scan, selective_scan_ref, ss2d_scan, ss2d_scan_ref

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no CUDA device'),
    pytest.mark.skipif(not info()['cuda'], reason='built without CUDA kernels'),
]

DEVICE = 'cuda'
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10, torch.bfloat16: 2e-2, torch.float16: 3e-3}


def results_and_gradients(op, inputs, device, dtype=None):
    leaves = {k: v.to(device, dtype).detach().requires_grad_() for k, v in inputs.items()}
    y = op(**leaves, delta_softplus=True)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y.backward(weights.to(device, y.dtype))
    return {'y': y.detach(), **{k: v.grad for k, v in leaves.items()}}


def assert_same_as_reference(op, reference, inputs, tolerance):
    got = results_and_gradients(op, inputs, DEVICE)
    expected = results_and_gradients(reference, inputs, 'cpu', torch.float64)
    for key, value in expected.items():
        assert got[key].device.type == torch.device(DEVICE).type
        assert relative_error(got[key].cpu(), value) < tolerance, key


@pytest.mark.parametrize('dtype', TOLERANCE, ids=str)
@pytest.mark.parametrize(
    'shape',
    [(1, 1, 1, 1, 1), (2, 2, 3, 2, 65), (1, 2, 41, 16, 260), (1, 4, 32, 1, 14400)],
    ids=str,
)
def test_scan(shape, dtype):
    inputs = make_inputs(*shape, dtype=dtype, optional=('D', 'delta_bias'))
    assert_same_as_reference(selective_scan, selective_scan_ref, inputs, TOLERANCE[dtype])


@pytest.mark.parametrize('dtype', TOLERANCE, ids=str)
@pytest.mark.parametrize(
    'shape',
    [(1, 1, 1, 1, 1, 1), (2, 5, 7, 130, 1, 3), (1, 1, 67, 4, 17, 2), (1, 60, 60, 96, 1, 6)],
    ids=str,
)
def test_map(shape, dtype):
    inputs = make_map_inputs(*shape, dtype=dtype)
    assert_same_as_reference(ss2d_scan, ss2d_scan_ref, inputs, TOLERANCE[dtype])


@pytest.mark.parametrize('op', [selective_scan, ss2d_scan], ids=lambda op: op.__name__)
def test_repeated_runs_are_bit_identical(op):
    if op is selective_scan:
        inputs = make_inputs(2, 2, 100, 2, 3000, dtype=torch.float32, optional=('D', 'delta_bias'))
    else:
        inputs = make_map_inputs(2, 60, 60, 256, 1, 8, dtype=torch.float32)
    first = results_and_gradients(op, inputs, DEVICE)
    for _ in range(5):
        again = results_and_gradients(op, inputs, DEVICE)
        assert all(torch.equal(first[key], again[key]) for key in first)


def test_runs_on_the_current_stream():
    inputs = {
        k: v.to(DEVICE) for k, v in make_inputs(1, 1, 64, 1, 4000, dtype=torch.float32).items()
    }
    expected = selective_scan(**inputs, delta_softplus=True)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(10_000_000)  # what follows must wait for it, and for what it waits for
        inputs['u'] = inputs['u'] * 2
        got = selective_scan(**inputs, delta_softplus=True)
    stream.synchronize()
    torch.testing.assert_close(got, expected * 2)


def test_backward_under_autocast_keeps_float32():
    inputs = make_map_inputs(1, 9, 11, 40, 1, 3, dtype=torch.float32)
    with torch.autocast(DEVICE, torch.float16):
        got = results_and_gradients(ss2d_scan, inputs, DEVICE)
    expected = results_and_gradients(ss2d_scan_ref, inputs, 'cpu', torch.float64)
    assert relative_error(got['dt_weight'].cpu(), expected['dt_weight']) < 1e-5


def test_tensors_of_two_devices():
    inputs = make_inputs(dtype=torch.float32)
    inputs['u'] = inputs['u'].to(DEVICE)
    with pytest.raises(RuntimeError, match='delta must be on the device of u, cuda:0, got cpu'):
        selective_scan(**inputs)
