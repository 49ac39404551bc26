# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest
import torch
from inputs import OPTIONAL, make_inputs, relative_error
from selective_scan import selective_scan, selective_scan_ref

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
# (batch, groups, rows, state, length): chunk edges of length, tile edges of rows, primes
SHAPES = [
    (1, 1, 1, 1, 1),
    (2, 1, 3, 1, 2),
    (1, 4, 8, 1, 63),
    (2, 2, 9, 2, 64),
    (1, 1, 16, 5, 65),
    (3, 2, 7, 16, 127),
    (1, 2, 5, 1, 128),
    (2, 1, 11, 2, 129),
    (1, 4, 17, 1, 225),
    (5, 3, 13, 5, 31),
    (1, 1, 600, 1, 17),
    (1, 1, 2, 1, 14400),
]


def subsets(names):
    return list(
        itertools.chain.from_iterable(
            itertools.combinations(names, size) for size in range(len(names) + 1)
        )
    )


def scan_with_gradients(scan, inputs, weights, **options):
    """Results and gradients of one weighted sum over both results."""
    leaves = {k: v.detach().clone().requires_grad_() for k, v in inputs.items()}
    results = scan(**leaves, return_last_state=True, **options)
    sum((r * w.to(r.dtype)).sum() for r, w in zip(results, weights, strict=True)).backward()
    return results, {k: v.grad for k, v in leaves.items()}


def assert_same_as_reference(inputs, tolerance, **options):
    exact = {k: v.double() for k, v in inputs.items()}
    generator = torch.Generator().manual_seed(1)
    u, A = inputs['u'], inputs['A']
    weights = [
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in (u.shape, (*u.shape[:2], A.shape[1]))
    ]
    got, got_grads = scan_with_gradients(selective_scan, inputs, weights, **options)
    options.pop('out_dtype', None)
    expected, expected_grads = scan_with_gradients(selective_scan_ref, exact, weights, **options)
    for what, a, b in zip(('y', 'last state'), got, expected, strict=True):
        assert relative_error(a, b) < tolerance, what
    for key, gradient in got_grads.items():
        assert gradient.dtype == inputs[key].dtype, key
        assert relative_error(gradient, expected_grads[key]) < tolerance, key


@pytest.mark.parametrize('dtype', TOLERANCE, ids=str)
@pytest.mark.parametrize('shape', SHAPES, ids=str)
def test_values_and_gradients_are_those_of_the_reference(shape, dtype):
    inputs = make_inputs(*shape, dtype=dtype)
    assert_same_as_reference(inputs, TOLERANCE[dtype], delta_softplus=True)


@pytest.mark.parametrize('optional', subsets(OPTIONAL), ids='-'.join)
@pytest.mark.parametrize('softplus', [False, True])
def test_each_optional_argument_may_be_absent(optional, softplus):
    inputs = make_inputs(2, 2, 3, 2, 29, optional=optional)
    if not softplus:
        inputs['delta'] = inputs['delta'].abs()
        if 'delta_bias' in inputs:
            inputs['delta_bias'] = inputs['delta_bias'].abs()
    assert_same_as_reference(inputs, 1e-10, delta_softplus=softplus)


@pytest.mark.parametrize('dtype, tolerance', [(torch.bfloat16, 2e-2), (torch.float16, 3e-3)])
@pytest.mark.parametrize('out_dtype', [None, torch.float32])
def test_half_precision(dtype, tolerance, out_dtype):
    inputs = make_inputs(2, 2, 9, 2, 130, dtype=dtype)
    assert_same_as_reference(inputs, tolerance, delta_softplus=True, out_dtype=out_dtype)
    assert selective_scan(**inputs, out_dtype=out_dtype).dtype == (out_dtype or dtype)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_the_state_of_a_half_precision_scan_is_float32(dtype):
    # Each step adds 1/256 to a state of at least 1: lost in bfloat16, and past 65504 in float16.
    length = 300
    ones = torch.ones(1, 1, length, dtype=dtype)
    scale = 2.0**-8 if dtype == torch.bfloat16 else 2.0**10
    weights = torch.ones(1, 1, 1, length, dtype=dtype)
    y, state = selective_scan(
        ones * scale,
        ones,
        torch.zeros(1, 1),
        weights,
        weights,
        return_last_state=True,
        out_dtype=torch.float32,
    )
    assert state.dtype == torch.float32
    assert state.item() == length * scale
    torch.testing.assert_close(y[0, 0], torch.arange(1.0, length + 1) * scale, rtol=0, atol=0)


def test_types_may_be_mixed():
    inputs = make_inputs(2, 2, 3, 2, 40, dtype=torch.float32)
    inputs['u'] = inputs['u'].half()
    inputs['B'] = inputs['B'].bfloat16()
    inputs['A'] = inputs['A'].double()
    expected = selective_scan_ref(**{k: v.double() for k, v in inputs.items()}, delta_softplus=True)
    got = selective_scan(**inputs, delta_softplus=True, out_dtype=torch.float32)
    assert relative_error(got, expected) < 1e-5


def test_three_dimensional_b_and_c_are_one_group():
    inputs = make_inputs(2, 1, 5, 3, 20)
    squeezed = inputs | {'B': inputs['B'][:, 0], 'C': inputs['C'][:, 0]}
    assert torch.equal(selective_scan(**squeezed), selective_scan(**inputs))
    assert_same_as_reference(squeezed, 1e-10)


def test_groups_read_their_own_weights():
    inputs = make_inputs(1, 2, 3, 2, 20, optional=())
    whole = selective_scan(**inputs)
    for group in range(2):
        rows = slice(3 * group, 3 * group + 3)
        alone = selective_scan(
            inputs['u'][:, rows],
            inputs['delta'][:, rows],
            inputs['A'][rows],
            inputs['B'][:, group],
            inputs['C'][:, group],
        )
        torch.testing.assert_close(whole[:, rows], alone)


@pytest.mark.parametrize('key', ['u', 'delta', 'A', 'B', 'C', 'D', 'delta_bias', 'z'])
def test_non_contiguous_input(key):
    inputs = make_inputs(2, 2, 3, 2, 33)
    expected = selective_scan(**inputs, delta_softplus=True)
    spread = torch.stack([inputs[key], torch.full_like(inputs[key], torch.nan)], -1)[..., 0]
    assert not spread.is_contiguous()
    strided = inputs | {key: spread}
    torch.testing.assert_close(selective_scan(**strided, delta_softplus=True), expected)
    assert_same_as_reference(strided, 1e-10, delta_softplus=True)


def test_expanded_gradient():
    inputs = make_inputs()
    u = inputs.pop('u').requires_grad_()
    selective_scan(u, **inputs).sum().backward()  # its gradient has stride 0
    (gradient,) = torch.autograd.grad(selective_scan_ref(u, **inputs).sum(), u)
    torch.testing.assert_close(u.grad, gradient)


def test_inputs_stay_as_they_were():
    inputs = make_inputs(dtype=torch.float32)
    before = {k: v.clone() for k, v in inputs.items()}
    selective_scan(**inputs, delta_softplus=True)
    assert all(torch.equal(before[k], inputs[k]) for k in inputs)


def everything(inputs):
    weights = [torch.ones(()), torch.ones(())]
    results, gradients = scan_with_gradients(selective_scan, inputs, weights, delta_softplus=True)
    return [*results, *gradients.values()]


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_results_do_not_depend_on_threads_or_repeats(threads):
    inputs = make_inputs(2, 2, 37, 2, 700, dtype=torch.float32, optional=('D', 'delta_bias'))
    threads(1)
    alone = everything(inputs)
    threads(2)
    for _ in range(3):
        assert all(torch.equal(a, b) for a, b in zip(everything(inputs), alone, strict=True))
