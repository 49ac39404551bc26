# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""exp and softplus of the kernels, as the ops show them, over all there is of their arguments."""

import math

import pytest
import torch
from selective_scan import selective_scan, selective_scan_ref, ss2d_scan, ss2d_scan_ref

# Relative, against float64 of the same arguments: a few roundings.
BOUND = {torch.float32: 3e-7, torch.float64: 1e-15}


def two_steps(scan, delta, A, softplus):
    """Of a sequence 1, 0 (the steps' sizes, and one step's share of the state after the other)."""
    u = delta.new_tensor([1, 0]).expand(1, len(delta), 2)
    ones = u.new_ones(1, 1, 1, 2)
    steps = delta[None, :, None].expand_as(u)
    return scan(u, steps, A[:, None], ones, ones, delta_softplus=softplus)[0].unbind(-1)


def two_pixels(scan, delta, A, softplus):
    """The same of a map 1, 0, which two routes see in this order, and two in reverse."""
    channels = len(delta)
    x = delta.new_tensor([1, 0]).view(1, 1, 2, 1).expand(1, 1, 2, channels)
    projections = torch.cat([x.new_zeros(1, 1, 2, 4, 1), x.new_ones(1, 1, 2, 4, 2)], -1)
    weight = x.new_zeros(4, channels, 1)
    y = scan(
        x,
        projections,
        weight,
        A[:, None].repeat(4, 1),
        delta_bias=delta.repeat(4),
        delta_softplus=softplus,
    )
    return y[0, 0, 0] / 4, y[0, 0, 1] / 2


KERNELS = [(two_steps, selective_scan), (two_pixels, ss2d_scan)]
ALL = [*KERNELS, (two_steps, selective_scan_ref), (two_pixels, ss2d_scan_ref)]
over_kernels = pytest.mark.parametrize('run, scan', KERNELS, ids=['sequence', 'map'])
over_all = pytest.mark.parametrize(
    'run, scan', ALL, ids=['sequence', 'map', 'sequence_ref', 'map_ref']
)


def arguments(dtype):
    """From where exp is the smallest normal number to near its overflow, and densely about 0."""
    limits = torch.finfo(dtype)
    wide = torch.linspace(math.log(limits.tiny) + 0.01, math.log(limits.max) - 1, 4001, dtype=dtype)
    return torch.cat([wide, torch.linspace(-4, 4, 4001, dtype=dtype)])


def relative_error(result, exact):
    return ((result.double() - exact).abs() / exact).max()


@over_kernels
@pytest.mark.parametrize('dtype', BOUND, ids=str)
def test_softplus(run, scan, dtype):
    delta = arguments(dtype)
    steps, _ = run(scan, delta, -torch.ones_like(delta), softplus=True)
    exact = torch.nn.functional.softplus(delta.double(), threshold=1e3)
    assert relative_error(steps, exact) < BOUND[dtype]


@over_kernels
@pytest.mark.parametrize('dtype', BOUND, ids=str)
def test_exp(run, scan, dtype):
    A = arguments(dtype)
    _, decays = run(scan, torch.ones_like(A), A, softplus=False)
    assert relative_error(decays, A.double().exp()) < BOUND[dtype]


@over_all
def test_extremes_of_softplus(run, scan):
    delta = torch.tensor([-torch.inf, -1e30, -200.0, 200.0, 1e30, torch.nan])
    steps, _ = run(scan, delta, -torch.ones_like(delta), softplus=True)
    expected = torch.tensor([0.0, 0.0, 0.0, 200.0, 1e30, torch.nan])
    torch.testing.assert_close(steps, expected, atol=0, rtol=0, equal_nan=True)


@over_all
def test_extremes_of_exp(run, scan):
    A = torch.tensor([-torch.inf, -1e30, -1e4, -200.0, 0.0, torch.nan])
    _, decays = run(scan, torch.ones_like(A), A, softplus=False)
    expected = torch.tensor([0, 0, 0, 0, 1, torch.nan])
    torch.testing.assert_close(decays, expected, atol=0, rtol=0, equal_nan=True)


@pytest.mark.parametrize('scan', [selective_scan, selective_scan_ref])
def test_growth_beyond_the_range_is_infinite(scan):
    A = torch.tensor([88.7, 88.8, 100.0, 1e30])
    # A first step so small that the state is about 1 before it grows.
    steps = torch.stack([1 / A, torch.ones_like(A)], 1)[None]
    u = torch.stack([A, torch.zeros_like(A)], 1)[None]
    ones = torch.ones(1, 1, 1, 2)
    growth = scan(u, steps, A[:, None], ones, ones)[0, :, 1]
    assert growth.isinf().tolist() == [False, True, True, True]
    assert growth[0].isfinite()


@pytest.mark.parametrize('scan', [selective_scan, selective_scan_ref])
def test_softplus_of_infinity(scan):
    one = torch.ones(1, 1, 1)
    y = scan(one, torch.inf * one, -one[0], one, one, delta_softplus=True)
    assert torch.equal(y, torch.inf * one)


@over_kernels
@pytest.mark.parametrize('bits', [0x7FFFFFFF, 0x7FC00001, -1])
def test_any_kind_of_nan(run, scan, bits):
    nan = torch.tensor([bits], dtype=torch.int32).view(torch.float32)
    one = torch.ones(1)
    for results in (run(scan, nan, -one, softplus=True), run(scan, one, nan, softplus=False)):
        assert results[1].isnan().all()
