# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""`selective_scan_fn` against the recurrence as the `mamba_ssm` package defines it."""

import pytest
import torch
import torch.nn.functional as F
from inputs import make_inputs, relative_error
from selective_scan import selective_scan, selective_scan_fn

VARIABLE = {'variable 4-D': 4, 'variable 3-D': 3, 'constant': 2}


def per_step(weight, channels, length):
    """(G*D, N), (B, N, L) or (B, G, N, L) -> (B or 1, G*D, N, L)"""
    if weight.dim() == 2:
        return weight[None, :, :, None].expand(-1, -1, -1, length)
    if weight.dim() == 3:
        weight = weight[:, None]
    return weight.repeat_interleave(channels // weight.shape[1], dim=1)


def by_definition(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False):
    """Result and last state."""
    _, channels, length = u.shape
    if delta_bias is not None:
        delta = delta + delta_bias[:, None]
    if delta_softplus:
        delta = F.softplus(delta)
    B, C = per_step(B, channels, length), per_step(C, channels, length)
    decay = torch.exp(torch.einsum('bdl,dn->bdln', delta, A))
    added = (delta * u)[..., None] * B.transpose(2, 3)
    state, outputs = 0, []
    for t in range(length):
        state = decay[:, :, t] * state + added[:, :, t]
        outputs.append((state * C[..., t]).sum(-1))
    y = torch.stack(outputs, -1)
    if D is not None:
        y = y + D[:, None] * u
    return (y if z is None else y * F.silu(z)), state


def arguments(b_dims, c_dims, *, optional=('D', 'delta_bias', 'z'), groups=2, dtype=torch.float64):
    inputs = make_inputs(2, groups, 3, 2, 11, dtype=dtype, optional=optional)
    for key, dims in (('B', b_dims), ('C', c_dims)):
        if dims == 3:
            inputs[key] = inputs[key][:, 0]
        if dims == 2:
            inputs[key] = inputs['A'].flip(0).to(dtype).contiguous()
    return inputs


@pytest.mark.parametrize('b', VARIABLE)
@pytest.mark.parametrize('c', VARIABLE)
@pytest.mark.parametrize('optional', [(), ('D',), ('z',), ('D', 'delta_bias', 'z')], ids='-'.join)
def test_values_and_gradients(b, c, optional):
    inputs = arguments(VARIABLE[b], VARIABLE[c], optional=optional)
    if {VARIABLE[b], VARIABLE[c]} == {3, 4}:  # each counts groups of its own only when expanded
        inputs = arguments(VARIABLE[b], VARIABLE[c], optional=optional, groups=1)
    leaves = [{k: v.clone().requires_grad_() for k, v in inputs.items()} for _ in range(2)]
    got = selective_scan_fn(**leaves[0], delta_softplus=True, return_last_state=True)
    expected = by_definition(**leaves[1], delta_softplus=True)
    for results in (got, expected):
        sum(r.square().sum() for r in results).backward()
    for a, e in zip(got, expected, strict=True):
        assert relative_error(a, e) < 1e-10
    for key in inputs:
        assert leaves[0][key].grad.shape == inputs[key].shape
        assert relative_error(leaves[0][key].grad, leaves[1][key].grad) < 1e-10, key


def test_positional_order_is_that_of_mamba_ssm():
    i = make_inputs(1, 1, 3, 2, 9)
    y, state = selective_scan_fn(
        i['u'], i['delta'], i['A'], i['B'], i['C'], i['D'], i['z'], i['delta_bias'], True, True
    )
    expected = selective_scan(**i, delta_softplus=True, return_last_state=True)
    assert torch.equal(y, expected[0]) and torch.equal(state, expected[1])


@pytest.mark.parametrize('dims', [2, 4])
def test_result_has_the_type_of_u_and_the_state_is_float32(dims):
    inputs = arguments(dims, dims, dtype=torch.bfloat16)
    y, state = selective_scan_fn(**inputs, delta_softplus=True, return_last_state=True)
    assert y.dtype == torch.bfloat16 and state.dtype == torch.float32


@pytest.mark.parametrize(
    'key, value, match',
    [
        ('B', torch.ones(6, 3), r'B must have shape \[6, 2\] when constant, got \[6, 3\]'),
        ('C', torch.ones(5, 2), r'C must have shape \[6, 2\] when constant, got \[5, 2\]'),
        ('C', torch.ones(2, 4, 2, 11), r'C must be .* with groups that divide 6 channels'),
        ('A', torch.ones(6, 2, dtype=torch.complex64), 'A must be floating point, got complex64'),
        ('A', torch.ones(()), r'A must be \(channels, state\), got 0 dimensions'),
        ('u', torch.ones(()), r'u must be \(batch, channels, length\), got 0 dimensions'),
        ('B', torch.ones(()), r'B must be \(channels, state\), .* or .*, got \[\]'),
    ],
)
def test_errors_name_the_argument(key, value, match):
    inputs = arguments(2, 2, dtype=torch.float32) | {key: value}
    with pytest.raises(RuntimeError, match=match):
        selective_scan_fn(**inputs)


@pytest.mark.parametrize('key', ['B', 'C'])
@pytest.mark.parametrize('dtype', [torch.int64, torch.uint8, torch.bool, torch.complex64], ids=str)
def test_constants_that_are_not_floating_point_are_refused(key, dtype):
    inputs = arguments(2, 2, dtype=torch.float32)
    inputs[key] = torch.ones(inputs[key].shape, dtype=dtype)
    name = str(dtype).removeprefix('torch.')
    with pytest.raises(RuntimeError, match=f'{key} must be floating point, got {name}'):
        selective_scan_fn(**inputs)


@pytest.mark.parametrize('dtype', [torch.int64, torch.complex64, torch.float8_e4m3fn], ids=str)
def test_a_wrong_type_beside_a_constant_is_refused_too(dtype):
    inputs = arguments(4, 2, dtype=torch.float32)
    inputs['B'] = torch.empty(inputs['B'].shape, dtype=dtype)
    name = str(dtype).removeprefix('torch.')
    with pytest.raises(RuntimeError, match=f'B must be float32 or .* for float32 u, got {name}'):
        selective_scan_fn(**inputs)


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_constants_may_have_any_floating_type(dtype):
    inputs = arguments(2, 2, dtype=torch.float32)
    expected = selective_scan_fn(**(inputs | {'B': inputs['B'].to(dtype).float()}))
    inputs['B'] = inputs['B'].to(dtype).requires_grad_()
    y = selective_scan_fn(**inputs)
    torch.testing.assert_close(y, expected, rtol=0, atol=0)
    y.sum().backward()
    assert inputs['B'].grad.dtype == dtype
