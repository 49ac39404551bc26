# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Infinite values and gradients, which go where the reference lets them and nowhere else."""

import pytest
import torch
from inputs import make_inputs, make_map_inputs
from selective_scan import selective_scan, selective_scan_ref, ss2d_scan, ss2d_scan_ref

INFINITE = pytest.mark.parametrize('value', [torch.inf, -torch.inf])
OPTIONAL = pytest.mark.parametrize('optional', [(), ('D',), ('delta_bias',)], ids='-'.join)


def everything(scan, inputs, weight, **options):
    """The result and the gradients of its sum weighted by `weight`."""
    leaves = {k: v.clone().requires_grad_() for k, v in inputs.items()}
    y = scan(**leaves, **options)
    y.backward(weight)
    return {'y': y.detach()} | {k: v.grad for k, v in leaves.items()}


def assert_same(scan, reference, inputs, weight):
    got, expected = (everything(f, inputs, weight, delta_softplus=True) for f in (scan, reference))
    for key, value in expected.items():
        torch.testing.assert_close(
            got[key], value, rtol=1e-8, atol=1e-10, equal_nan=True, msg=lambda m, k=key: f'{k}: {m}'
        )
    return got


@INFINITE
@OPTIONAL
@pytest.mark.parametrize('step', [0, 5, 129])
def test_an_infinite_input_of_a_sequence(value, optional, step):
    inputs = make_inputs(1, 1, 9, 2, 140, optional=optional)
    inputs['u'][0, 4, step] = value
    assert_same(selective_scan, selective_scan_ref, inputs, torch.ones_like(inputs['u']))


@INFINITE
@OPTIONAL
@pytest.mark.parametrize('step', [0, 5, 139])
def test_an_infinite_gradient_of_a_sequence(value, optional, step):
    inputs = make_inputs(1, 1, 9, 2, 140, optional=optional)
    weight = torch.ones_like(inputs['u'])
    weight[0, 4, step] = value
    assert_same(selective_scan, selective_scan_ref, inputs, weight)


def test_without_a_skip_an_infinity_stays_one():
    inputs = make_inputs(1, 1, 3, 1, 140, optional=())  # one state, whose infinities have one sign
    weight = torch.ones_like(inputs['u'])
    inputs['u'][0, 1, 5] = torch.inf
    y = everything(selective_scan, inputs, weight, delta_softplus=True)['y']
    assert y[0, 1, 5:].isinf().all() and y[0, 1, :5].isfinite().all()
    inputs['u'][0, 1, 5] = 0
    weight[0, 1, 5] = torch.inf
    gradient = everything(selective_scan, inputs, weight, delta_softplus=True)['u']
    assert gradient[0, 1, :6].isinf().all() and gradient[0, 1, 6:].isfinite().all()


# Of one block of channels and of two, of which the last is whole or not.
CHANNELS = pytest.mark.parametrize('channels', [5, 64, 70])


@INFINITE
@OPTIONAL
@CHANNELS
def test_an_infinite_input_of_a_map(value, optional, channels):
    inputs = make_map_inputs(1, 3, 4, channels, 2, 2, optional=optional)
    inputs['x'][0, 1, 2, channels - 1] = value
    got = assert_same(ss2d_scan, ss2d_scan_ref, inputs, torch.ones_like(inputs['x']))
    # Routes that meet it may bring infinities of both signs, whose sum is NaN in the reference too.
    assert not got['y'][0, 1, 2, channels - 1].isfinite()
    assert got['y'][..., : channels - 1].isfinite().all()


@INFINITE
@OPTIONAL
@CHANNELS
def test_an_infinite_gradient_of_a_map(value, optional, channels):
    inputs = make_map_inputs(1, 3, 4, channels, 2, 2, optional=optional)
    weight = torch.ones_like(inputs['x'])
    weight[0, 1, 2, channels - 1] = value
    got = assert_same(ss2d_scan, ss2d_scan_ref, inputs, weight)
    assert got['x'][..., : channels - 1].isfinite().all()


def positive_map(*size, **options):
    """A map whose projections and weights are above zero, so that infinities have one sign."""
    inputs = make_map_inputs(*size, **options)
    for key in ('x', 'projections', 'dt_weight'):
        inputs[key] = inputs[key].abs()
    return inputs


@OPTIONAL
@CHANNELS
def test_infinite_values_without_a_sign_to_lose(optional, channels):
    inputs = positive_map(1, 3, 4, channels, 2, 2, optional=optional)
    if 'D' in inputs:
        inputs['D'] = inputs['D'].abs()
    weight = torch.ones_like(inputs['x'])
    weight[0, 1, 2, channels - 1] = torch.inf
    gradient = everything(ss2d_scan, inputs, weight, delta_softplus=True)['x']
    assert gradient[..., channels - 1].isinf().all()  # some route takes it to every position
    inputs['x'][0, 1, 2, channels - 1] = torch.inf
    y = ss2d_scan(**inputs, delta_softplus=True)
    assert y[..., channels - 1].isinf().all()


@CHANNELS
@pytest.mark.parametrize('place', ['dt', 'B', 'C'])
@INFINITE
def test_padding_beside_the_channels_gives_nothing(channels, place, value):
    # Lanes past the last channel hold zeros, and what all channels share is infinite.
    inputs = positive_map(1, 3, 4, channels, 2, 2)
    rank, state = 2, 2
    at = {'dt': 0, 'B': rank, 'C': rank + state}[place]
    inputs['projections'][0, 1, 2, 1, at] = value
    assert_same(ss2d_scan, ss2d_scan_ref, inputs, torch.ones_like(inputs['x']))


@CHANNELS
def test_a_step_of_minus_infinity_through_softplus_is_no_step(channels):
    inputs = positive_map(1, 3, 4, channels, 2, 2)
    inputs['projections'][0, 1, 2, 1, 0] = -torch.inf
    got = everything(ss2d_scan, inputs, torch.ones_like(inputs['x']), delta_softplus=True)
    assert got['y'].isfinite().all() and got['x'].isfinite().all()
    assert got['projections'].isfinite().all()
    assert (got['projections'][0, 1, 2, 1, :2] == 0).all()  # the size of that step and its decay
