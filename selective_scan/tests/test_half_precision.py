# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Half precision is that of what comes in and goes out: in between all is in the state's type."""

import itertools

import pytest
import torch
from inputs import make_inputs, make_map_inputs, relative_error
from selective_scan import (
    selective_scan,
    selective_scan_fn,
    selective_scan_ref,
    ss2d_scan,
    ss2d_scan_ref,
)

LENGTHS = (1, 2, 7, 64, 129, 1000, 4096)
MAPS = ((1, 1), (1, 2), (3, 5), (8, 8), (9, 15), (64, 64))
HALF = (torch.float16, torch.bfloat16)
over_halves = pytest.mark.parametrize('dtype', HALF, ids=str)


def subsets(names):
    sizes = range(len(names) + 1)
    return itertools.chain.from_iterable(itertools.combinations(names, size) for size in sizes)


def results(scan, inputs, weights, options):
    """The results, then the gradients of their sum weighted by `weights`, which have no type."""
    leaves = [v.detach().clone().requires_grad_() for v in inputs.values()]
    outputs = scan(**dict(zip(inputs, leaves, strict=True)), **options)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    given = [w.to(r.dtype) for w, r in zip(weights, outputs, strict=True)]
    gradients = torch.autograd.grad(outputs, leaves, given)
    names = ['result', 'last state'][: len(outputs)] + list(inputs)
    return dict(zip(names, (*outputs, *gradients), strict=True))


def check(scan, reference, inputs, options, out_dtype):
    """Errors against float64 are at most those of scans that compute in float32.

    These are the op itself and the reference, given the same values. Their results are rounded
    once, to the types that the op gives in half precision.
    """
    generator = torch.Generator().manual_seed(1)
    first = next(iter(inputs.values()))
    shapes = [first.shape]
    if options.get('return_last_state'):
        shapes.append((*first.shape[:2], inputs['A'].shape[1]))
    # of the half type, as the gradient of a half-precision result is
    weights = [torch.randn(shape, generator=generator).to(first.dtype).float() for shape in shapes]
    given = {} if out_dtype is None else {'out_dtype': out_dtype}
    got = results(scan, inputs, weights, options | given)
    single = {k: v.float() for k, v in inputs.items()}
    of_op, of_reference = (results(f, single, weights, options) for f in (scan, reference))
    exact = results(reference, {k: v.double() for k, v in inputs.items()}, weights, options)
    assert got['result'].dtype == (out_dtype or first.dtype)
    for name, value in got.items():
        assert name not in inputs or value.dtype == inputs[name].dtype, name
        error = relative_error(value, exact[name])
        assert error <= relative_error(of_op[name].to(value.dtype), exact[name]), name
        # The last bits of float32, in which the two differ, may turn a rounding to half.
        bound = relative_error(of_reference[name].to(value.dtype), exact[name])
        assert error < 1.01 * bound + 1e-5, name


@over_halves
@pytest.mark.parametrize('length', LENGTHS)
def test_sequences(dtype, length):
    # All options at every length, and every choice of them at two.
    choices = (
        subsets(('D', 'delta_bias', 'z')) if length in (7, 129) else [('D', 'delta_bias', 'z')]
    )
    for optional, out_dtype in itertools.product(choices, (None, torch.float32)):
        inputs = make_inputs(1, 2, 2, 2, length, dtype=dtype, optional=optional)
        options = {'delta_softplus': True, 'return_last_state': True}
        check(selective_scan, selective_scan_ref, inputs, options, out_dtype)


@over_halves
@pytest.mark.parametrize('length', [5, 200])
def test_sequences_without_softplus(dtype, length):
    inputs = make_inputs(1, 2, 2, 2, length, dtype=dtype)
    inputs['delta'], inputs['delta_bias'] = inputs['delta'].abs(), inputs['delta_bias'].abs()
    check(selective_scan, selective_scan_ref, inputs, {}, torch.float32)


def with_constants(**arguments):
    """The reference for constant B and C, (G*D, N)."""
    length = arguments['u'].shape[-1]
    for key in ('B', 'C'):
        if arguments[key].dim() == 2:
            arguments[key] = arguments[key][None, :, :, None].expand(1, -1, -1, length)
        else:
            rows = arguments['u'].shape[1] // arguments[key].shape[1]
            arguments[key] = arguments[key].repeat_interleave(rows, dim=1)
    return selective_scan_ref(**arguments)


@over_halves
@pytest.mark.parametrize('length', LENGTHS)
@pytest.mark.parametrize('constant_dtype', [torch.float32, 'half'], ids=str)
def test_constants(dtype, length, constant_dtype):
    constant_dtype = dtype if constant_dtype == 'half' else constant_dtype
    choices = [('B', 'C')] if length > 129 else [('B',), ('C',), ('B', 'C')]
    for constant in choices:
        inputs = make_inputs(1, 2, 2, 2, length, dtype=dtype)
        for i, key in enumerate(constant):
            inputs[key] = inputs['A'].roll(1 + i, 0).to(constant_dtype)
        check(selective_scan_fn, with_constants, inputs, {'delta_softplus': True}, None)


@over_halves
@pytest.mark.parametrize('size', MAPS, ids=str)
def test_maps(dtype, size):
    choices = subsets(('D', 'delta_bias')) if size == (9, 15) else [('D', 'delta_bias')]
    for optional, out_dtype in itertools.product(choices, (None, torch.float32)):
        inputs = make_map_inputs(1, *size, 3, 2, 2, dtype=dtype, optional=optional)
        check(ss2d_scan, ss2d_scan_ref, inputs, {'delta_softplus': True}, out_dtype)


@over_halves
def test_a_half_precision_scan_is_one_in_float32_rounded_once(dtype):
    """To the last bit, gate included, and so are its gradients."""
    for optional in subsets(('D', 'delta_bias', 'z')):
        inputs = make_inputs(2, 2, 9, 2, 300, dtype=dtype, optional=optional)
        weights = [torch.randn(inputs['u'].shape).to(dtype)]
        got = results(selective_scan, inputs, weights, {'delta_softplus': True})
        wide = {k: v.float() for k, v in inputs.items()}
        expected = results(selective_scan, wide, weights, {'delta_softplus': True})
        for name, value in got.items():
            assert torch.equal(value, expected[name].to(value.dtype)), name
