# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The fused scan of a map against the float64 reference, which lays the four routes out."""

import pytest
import torch
from inputs import make_map_inputs, relative_error
from selective_scan import selective_scan, ss2d_scan, ss2d_scan_ref

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
# (batch, height, width, channels, state, rank): chunk edges of the length, block edges of the
# channels, primes, single rows and columns
SHAPES = [
    (1, 1, 1, 1, 1, 1),
    (2, 1, 2, 3, 1, 2),
    (1, 1, 7, 5, 2, 3),
    (2, 13, 1, 33, 1, 8),
    (1, 5, 7, 64, 1, 6),
    (3, 7, 9, 31, 5, 4),
    (1, 8, 8, 65, 1, 16),
    (2, 5, 13, 70, 16, 17),
    (1, 15, 15, 128, 1, 33),
    (1, 16, 16, 40, 3, 1),
    (1, 37, 41, 19, 1, 9),
    (5, 1, 131, 11, 1, 2),
    (1, 120, 120, 2, 1, 3),
]


def scan_with_gradients(scan, inputs, weight, **options):
    """The result and the gradients of its weighted sum."""
    leaves = {k: v.detach().clone().requires_grad_() for k, v in inputs.items()}
    y = scan(**leaves, **options)
    (y * weight.to(y.dtype)).sum().backward()
    return y, {k: v.grad for k, v in leaves.items()}


def assert_same_as_reference(inputs, tolerance, *, out_dtype=None, **options):
    exact = {k: v.double() for k, v in inputs.items()}
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(inputs['x'].shape, generator=generator, dtype=torch.float64)
    y, gradients = scan_with_gradients(ss2d_scan, inputs, weight, out_dtype=out_dtype, **options)
    expected, expected_gradients = scan_with_gradients(ss2d_scan_ref, exact, weight, **options)
    assert y.dtype == (out_dtype or inputs['x'].dtype)
    assert relative_error(y, expected) < tolerance
    for key, gradient in gradients.items():
        assert gradient.dtype == inputs[key].dtype, key
        assert torch.isfinite(gradient).all(), key
        assert relative_error(gradient, expected_gradients[key]) < tolerance, key


@pytest.mark.parametrize('dtype', TOLERANCE, ids=str)
@pytest.mark.parametrize('shape', SHAPES, ids=str)
def test_values_and_gradients_are_those_of_the_reference(shape, dtype):
    inputs = make_map_inputs(*shape, dtype=dtype)
    assert_same_as_reference(inputs, TOLERANCE[dtype], delta_softplus=True)


@pytest.mark.parametrize(
    'optional', [(), ('D',), ('delta_bias',), ('D', 'delta_bias')], ids='-'.join
)
@pytest.mark.parametrize('softplus', [False, True])
def test_each_optional_argument_may_be_absent(optional, softplus):
    inputs = make_map_inputs(2, 5, 7, 6, 2, 3, optional=optional)
    if not softplus:  # steps of both signs would make some decays grow without bound
        inputs['projections'] = 0.1 * inputs['projections']
    assert_same_as_reference(inputs, 1e-10, delta_softplus=softplus)


def test_reference_visits_the_published_orders():
    # A scan that only remembers: A = 0, step 1, B = C = 1 make y the running sum of x. The routes
    # are told apart by which of them has C = 1.
    x = torch.arange(1.0, 7.0, dtype=torch.float64).view(1, 2, 3, 1)
    running = [
        [[1, 3, 6], [10, 15, 21]],  # 1 2 3 4 5 6
        [[1, 7, 15], [5, 12, 21]],  # 1 4 2 5 3 6
        [[21, 20, 18], [15, 11, 6]],  # 6 5 4 3 2 1
        [[21, 16, 9], [20, 14, 6]],  # 6 3 5 2 4 1
    ]
    for route, expected in enumerate(running):
        projections = torch.ones(1, 2, 3, 4, 3, dtype=torch.float64)
        projections[..., 2] = 0
        projections[..., route, 2] = 1
        weight = torch.ones(4, 1, 1, dtype=torch.float64)
        A = torch.zeros(4, 1, dtype=torch.float64)
        for scan in (ss2d_scan, ss2d_scan_ref):
            y = scan(x, projections, weight, A)
            assert y[0, ..., 0].tolist() == expected


def test_a_map_of_height_one_is_two_scans_forward_and_two_backward():
    inputs = make_map_inputs(2, 1, 150, 5, 2, 3)
    x = inputs['x'][:, 0].transpose(1, 2)  # (B, E, L)
    dt, B, C = inputs['projections'][:, 0].permute(0, 2, 3, 1).split((3, 2, 2), dim=2)
    expected = 0
    for route in range(4):
        rows = slice(5 * route, 5 * route + 5)
        delta = inputs['dt_weight'][route] @ dt[:, route]
        arguments = (x, delta, B[:, route], C[:, route])
        if route >= 2:
            arguments = (v.flip(-1) for v in arguments)
        u, delta, b, c = arguments
        y = selective_scan(
            u,
            delta,
            inputs['A'][rows],
            b,
            c,
            inputs['D'][rows],
            delta_bias=inputs['delta_bias'][rows],
            delta_softplus=True,
        )
        expected = expected + (y.flip(-1) if route >= 2 else y)
    y = ss2d_scan(**inputs, delta_softplus=True)
    torch.testing.assert_close(y[:, 0].transpose(1, 2), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('key', ['x', 'projections', 'dt_weight', 'A', 'D', 'delta_bias'])
def test_non_contiguous_input(key):
    inputs = make_map_inputs(2, 5, 3, 4, 2, 3)
    expected = ss2d_scan(**inputs, delta_softplus=True)
    spread = torch.stack([inputs[key], torch.full_like(inputs[key], torch.nan)], -1)[..., 0]
    assert not spread.is_contiguous()
    strided = inputs | {key: spread}
    assert torch.equal(ss2d_scan(**strided, delta_softplus=True), expected)
    assert_same_as_reference(strided, 1e-10, delta_softplus=True)


def test_channels_first_map_and_expanded_gradient():
    inputs = make_map_inputs(2, 5, 3, 4, 1, 3)
    x = inputs.pop('x').permute(0, 3, 1, 2).contiguous().requires_grad_()  # (B, E, H, W)
    y = ss2d_scan(x.permute(0, 2, 3, 1), **inputs, delta_softplus=True)
    y.sum().backward()  # its gradient has stride 0
    again = x.detach().requires_grad_()
    ss2d_scan_ref(again.permute(0, 2, 3, 1), **inputs, delta_softplus=True).sum().backward()
    torch.testing.assert_close(x.grad, again.grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('dtype, tolerance', [(torch.bfloat16, 2e-2), (torch.float16, 3e-3)])
@pytest.mark.parametrize('out_dtype', [None, torch.float32])
@pytest.mark.parametrize('channels', [9, 64])
def test_half_precision(dtype, tolerance, out_dtype, channels):
    inputs = make_map_inputs(2, 9, 11, channels, 2, 5, dtype=dtype)
    assert_same_as_reference(inputs, tolerance, delta_softplus=True, out_dtype=out_dtype)


def test_types_may_be_mixed():
    inputs = make_map_inputs(1, 5, 6, 7, 2, 3, dtype=torch.float32)
    inputs['x'] = inputs['x'].half()
    inputs['projections'] = inputs['projections'].bfloat16()
    inputs['A'] = inputs['A'].double()
    inputs['dt_weight'] = inputs['dt_weight'].half()
    exact = {k: v.double() for k, v in inputs.items()}
    got = ss2d_scan(**inputs, delta_softplus=True, out_dtype=torch.float32)
    assert relative_error(got, ss2d_scan_ref(**exact, delta_softplus=True)) < 1e-5


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_the_state_of_a_half_precision_scan_is_float32(dtype):
    # Running sums along each of four routes, as above: in bfloat16 they would stop growing at 256,
    # and in float16 they would overflow on the way.
    scale = 1.0 if dtype == torch.bfloat16 else 2.0**10
    x = torch.full((1, 20, 20, 1), scale, dtype=dtype)
    projections = torch.ones(1, 20, 20, 4, 3, dtype=dtype)
    y = ss2d_scan(x, projections, torch.ones(4, 1, 1), torch.zeros(4, 1), out_dtype=torch.float32)
    # Forward and backward meet each position once more than the whole: 401 in both directions.
    assert torch.equal(y, torch.full_like(y, 2 * 401 * scale))


@pytest.mark.parametrize('bias', [-60.0, -20.0, 20.0, 60.0])
def test_tiny_and_large_steps(bias):
    inputs = make_map_inputs(1, 9, 10, 6, 2, 3, dtype=torch.float32, optional=('D',))
    inputs['delta_bias'] = torch.full((24,), bias)
    exact = {k: v.double() for k, v in inputs.items()}
    y = ss2d_scan(**inputs, delta_softplus=True)
    assert relative_error(y, ss2d_scan_ref(**exact, delta_softplus=True)) < 1e-5


@pytest.mark.parametrize('rate', [0.0, -1e-30, -1e-6, -1e4])
def test_rates_near_zero_and_far_from_it(rate):
    inputs = make_map_inputs(1, 9, 10, 6, 1, 3)
    inputs['A'] = torch.full((24, 1), rate, dtype=torch.float64)
    assert_same_as_reference(inputs, 1e-10, delta_softplus=True)


def test_nan_stays_in_its_channel():
    inputs = make_map_inputs(1, 5, 6, 70, 1, 3, dtype=torch.float32)
    clean = ss2d_scan(**inputs, delta_softplus=True)
    inputs['x'][0, 2, 3, 66] = torch.nan
    y = ss2d_scan(**inputs, delta_softplus=True)
    assert y[0, 2:, :, 66].isnan().all()
    others = torch.arange(70) != 66
    assert torch.equal(y[..., others], clean[..., others])


def test_inputs_stay_as_they_were():
    inputs = make_map_inputs(dtype=torch.float32)
    before = {k: v.clone() for k, v in inputs.items()}
    scan_with_gradients(ss2d_scan, inputs, torch.ones(()), delta_softplus=True)
    assert all(torch.equal(before[k], inputs[k]) for k in inputs)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_results_do_not_depend_on_threads_or_repeats(threads):
    inputs = make_map_inputs(2, 13, 17, 200, 2, 5, dtype=torch.float32)

    def everything():
        y, gradients = scan_with_gradients(ss2d_scan, inputs, torch.ones(()), delta_softplus=True)
        return [y, *gradients.values()]

    threads(1)
    alone = everything()
    threads(2)
    for _ in range(3):
        assert all(torch.equal(a, b) for a, b in zip(everything(), alone, strict=True))
