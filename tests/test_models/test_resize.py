# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch import nn

from mmseg_remamber.models.decode_heads.resize import conv_of_double, upsample_double


@pytest.mark.parametrize('hw', [(1, 1), (1, 4), (5, 7), (12, 8)])
@pytest.mark.parametrize('out_channels', [1, 3])
def test_convolution_of_a_doubled_map(hw, out_channels):
    torch.manual_seed(0)
    conv = nn.Conv2d(6, out_channels, 3, padding=1).double()
    x = torch.randn(2, 6, *hw, dtype=torch.float64, requires_grad=True)
    want, got = conv(upsample_double(x)), conv_of_double(conv, x)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    dy = torch.randn_like(want)
    inputs = (x, conv.weight, conv.bias)
    for a, b in zip(
        torch.autograd.grad(got, inputs, dy), torch.autograd.grad(want, inputs, dy), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
