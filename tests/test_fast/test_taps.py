# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg_remamber.fast import (
    add_conv_of_resized,
    conv_of_resized,
    conv_taps,
    sum_doubled_taps,
)
from mmseg_remamber.layers import upsample


def double(x):
    return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)


def assert_same(got, want, inputs):
    """The same values and the same gradients."""
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    dy = torch.randn_like(want)
    for a, b in zip(
        torch.autograd.grad(got, inputs, dy), torch.autograd.grad(want, inputs, dy), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize('hw', [(1, 1), (1, 4), (5, 7), (12, 8)])
@pytest.mark.parametrize('out_channels', [1, 3])
def test_taps_of_a_doubled_map(hw, out_channels):
    torch.manual_seed(0)
    conv = nn.Conv2d(6, out_channels, 3, padding=1).double()
    x = torch.randn(2, 6, *hw, dtype=torch.float64, requires_grad=True)
    got = sum_doubled_taps(conv_taps(conv, x), conv.bias)
    assert_same(got, conv(double(x)), (x, conv.weight, conv.bias))


@pytest.mark.parametrize(
    'hw, size',
    [
        ((1, 1), (2, 2)),
        ((1, 3), (2, 6)),
        ((5, 7), (10, 14)),
        ((4, 4), (7, 8)),
        ((3, 4), (3, 4)),
        ((9, 40), (17, 80)),  # more than one strip, and more than one block of columns
        ((20, 9), (39, 18)),
    ],
)
@pytest.mark.parametrize('with_bias', [True, False])
def test_convolution_of_a_resized_map(hw, size, with_bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 4, 3, padding=1, bias=with_bias).double()
    x = torch.randn(2, 6, *hw, dtype=torch.float64, requires_grad=True)
    want = conv(upsample(x, size)).relu().sum(1, keepdim=True)
    heights = []

    def then(rows):
        heights.append(rows.shape[2])
        return rows.relu().sum(1, keepdim=True)

    got = conv_of_resized(x, size, conv.weight, conv.bias, then=then)
    assert_same(got, want, (x, *conv.parameters()))
    assert sum(heights) == size[0] and max(heights) <= 16


@pytest.mark.parametrize('small', [(1, 1), (5, 7), (12, 8)])
@pytest.mark.parametrize('size', [(12, 8), (13, 33), (40, 9)])
@torch.no_grad()
def test_the_convolution_of_a_map_made_large_is_added_in_place(small, size):
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 4, 3, padding=1, bias=False).double()
    x, total = torch.randn(2, 6, *small).double(), torch.randn(2, 4, *size).double()
    want = total + conv(upsample(x, size))
    assert add_conv_of_resized(total, x, conv.weight) is total
    torch.testing.assert_close(total, want, rtol=1e-12, atol=1e-12)
