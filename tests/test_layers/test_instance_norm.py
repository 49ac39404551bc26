# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch import nn

from mmseg_remamber.layers import InstanceNorm, TanhGate, at_least_float32


@pytest.mark.parametrize('shape', [(1, 2, 3), (2, 5, 7, 3), (3, 1, 9, 4), (2, 6, 1)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_it_is_torchs(shape, dtype):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype) * 3 + 5
    want = nn.InstanceNorm1d(shape[-1])(x.flatten(1, -2).transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(InstanceNorm()(x), want.reshape(shape))
    strided = x.transpose(0, -1).contiguous().transpose(0, -1)
    torch.testing.assert_close(InstanceNorm()(strided), want.reshape(shape))


def test_gradients():
    x = torch.randn(2, 3, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(InstanceNorm(), x)


def test_half_precision_keeps_what_varies_little():
    x = torch.linspace(0, 1, 64).reshape(1, 8, 8, 1) * 0.5 + 100
    got = InstanceNorm()(x.bfloat16())
    assert got.dtype == torch.bfloat16
    want = InstanceNorm()(x.bfloat16().float())
    torch.testing.assert_close(got.float(), want, rtol=1e-2, atol=1e-2)
    assert abs(float(want.mean())) < 1e-4 and float(want.std()) == pytest.approx(1, abs=0.05)


def test_one_position_is_refused():
    with pytest.raises(ValueError, match=r'more than one position, got shape \(2, 1, 1, 3\)'):
        InstanceNorm()(torch.randn(2, 1, 1, 3))


def test_the_gate():
    gate = TanhGate(5)
    x = torch.randn(2, 3, 5)
    first, second = (p for p in gate.parameters())
    torch.testing.assert_close(gate(x), torch.tanh((x @ first.T).relu() @ second.T))
    assert set(gate.state_dict()) == {'0.weight', '2.weight'}


@pytest.mark.parametrize(
    ('dtype', 'want'),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_at_least_float32(dtype, want):
    assert at_least_float32(torch.ones(1, dtype=dtype)).dtype == want
