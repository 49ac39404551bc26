# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A strip of rows at a time gives what whole maps give."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg_remamber.fast import by_images, by_rows, linear_of_parts, strips
from mmseg_remamber.layers import conv_nhwc, resize_nhwc
from mmseg_remamber.vmamba import VSSBlock


@pytest.fixture
def short(monkeypatch):
    """Strips of few rows even of small maps."""
    monkeypatch.setattr(strips, 'STRIP_VALUES', 64)


def counted(function):
    heights = []

    def call(*maps):
        heights.append(maps[0].shape[1])
        return function(*maps)

    return call, heights


@pytest.mark.parametrize('batch', [1, 3])
@torch.no_grad()
def test_strips_of_positions(short, batch):
    x, gate, constant = torch.randn(batch, 11, 5, 4), torch.randn(batch, 11, 5, 4), torch.randn(4)
    function, heights = counted(lambda x, z, c: (x * z.sigmoid() + c).tile(2))
    got = by_rows(function, x, gate, constant.expand(batch, 1, 1, 4), width=4)
    torch.testing.assert_close(got, (x * gate.sigmoid() + constant).tile(2))
    assert heights == ([3, 3, 3, 2] if batch == 1 else [1] * 11)


@torch.no_grad()
def test_strips_may_hold_rows_of_several_images(short):
    x, gate = torch.randn(3, 11, 5, 4), torch.randn(3, 11, 5, 4)
    function, heights = counted(lambda x, z: (x * z.sigmoid()).tile(2))
    got = by_rows(function, x, gate, width=4, mixed=True)
    torch.testing.assert_close(got, (x * gate.sigmoid()).tile(2))
    assert heights == [3] * 11
    # of strided maps it does without
    strided = x.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(by_rows(function, strided, gate, width=4, mixed=True), got)
    assert heights[11:] == [1] * 11


@pytest.mark.parametrize(('values', 'numbers'), [(10, [5]), (40, [1] * 5), (30, [2, 2, 1])])
@torch.no_grad()
def test_some_images_at_a_time(short, values, numbers):
    x, seen = torch.randn(5, 3, 4), []

    def double(images):
        seen.append(len(images))
        return torch.cat([images, images], dim=1)

    assert torch.equal(by_images(double, x, values=values), double(x))
    assert seen == [*numbers, 5]


@pytest.mark.parametrize('height', [1, 8, 9, 23])
@torch.no_grad()
def test_halo_and_scale(short, height):
    convs = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1))

    def double(x):
        x = F.interpolate(x.permute(0, 3, 1, 2), scale_factor=2, mode='bilinear')
        return convs(x).permute(0, 2, 3, 1)

    x = torch.randn(2, height, 6, 3)
    function, heights = counted(double)
    got = by_rows(function, x, width=100, halo=2, scale=2)
    torch.testing.assert_close(got, double(x), rtol=1e-5, atol=1e-6)
    assert len(heights) == -(-height // 8)


def test_maps_stay_whole_where_gradients_are_kept_or_a_graph_is_captured(short):
    x = torch.randn(1, 40, 4, 4, requires_grad=True)
    function, heights = counted(lambda x: x * 2)
    by_rows(function, x, width=4).sum().backward()
    assert heights == [40] and torch.equal(x.grad, torch.full_like(x, 2))

    class Module(nn.Module):
        def forward(self, x):
            return by_rows(lambda rows: rows * 2, x, width=4)

    with torch.no_grad():
        program = torch.export.export(Module(), (x.detach(),))
        assert [node.target for node in program.graph.nodes].count(torch.ops.aten.mul.Tensor) == 1


@torch.no_grad()
def test_what_is_wide_is_never_made():
    wide = []
    x = torch.randn(1, 512, 64, 8)

    def widen(x):
        wide.append(x.tile(128).numel())
        return x

    assert torch.equal(by_rows(widen, x, width=1024), x)
    assert max(wide) <= strips.STRIP_VALUES


@pytest.mark.parametrize('grad', [False, True])
@pytest.mark.parametrize('with_coarse', [False, True])
@pytest.mark.parametrize('constants', [(), (1,), (1, 2)])
def test_linear_layer_of_parts(short, grad, with_coarse, constants):
    torch.manual_seed(0)
    linear = nn.Linear(12, 5, bias=False).double()
    maps = [
        torch.randn(2, 1 if i in constants else 7, 1 if i in constants else 6, 4).double()
        for i in range(3)
    ]
    coarse = torch.randn(2, 3, 3, 12).double() if with_coarse else None
    inputs = [*maps, linear.weight] + ([coarse] if with_coarse else [])
    for tensor in inputs:
        tensor.requires_grad_(grad)
    cube = torch.cat([part.expand(2, 7, 6, 4) for part in maps], dim=-1)
    if with_coarse:
        cube = cube + resize_nhwc(coarse, (7, 6))
    with torch.set_grad_enabled(grad):
        want, got = linear(cube), linear_of_parts(linear, maps, coarse)
    torch.testing.assert_close(got, want)
    if grad:
        dy = torch.randn_like(want)
        for a, b in zip(
            torch.autograd.grad(got, inputs, dy), torch.autograd.grad(want, inputs, dy), strict=True
        ):
            torch.testing.assert_close(a, b)


@torch.no_grad()
def test_linear_layer_of_one_map_with_what_comes_before_and_after(short):
    norm, layer = nn.LayerNorm(4), nn.Linear(4, 6)
    conv = nn.Conv2d(6, 2, 3, padding=1)
    x = torch.randn(2, 17, 5, 4)
    then, heights = counted(lambda x: conv_nhwc(conv, x))
    got = linear_of_parts(layer, [x], before=norm, then=then, halo=1)
    torch.testing.assert_close(got, conv_nhwc(conv, layer(norm(x))), rtol=1e-5, atol=1e-6)
    assert heights == [5, 6, 6, 6, 2]


@pytest.mark.parametrize(('number', 'with_coarse'), [(1, True), (2, False), (2, True)])
def test_what_comes_before_takes_a_single_map(number, with_coarse):
    coarse = torch.randn(1, 3, 3, 8) if with_coarse else None
    layer, maps = nn.Linear(8, 6, bias=False), [torch.randn(1, 7, 5, 8 // number)] * number
    with pytest.raises(ValueError, match=f'before takes a single map alone, got {number} maps'):
        linear_of_parts(layer, maps, coarse, before=nn.LayerNorm(8))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('mlp_ratio', [0.0, 4.0])
@pytest.mark.parametrize('gated', [False, True])
def test_block_in_strips(short, gated, mlp_ratio, dtype):
    torch.manual_seed(0)
    block = VSSBlock(8, gated=gated, mlp_ratio=mlp_ratio).eval().to(dtype)
    x = torch.randn(2, 9, 7, 8, dtype=dtype)
    heights = []
    handle = block.norm.register_forward_pre_hook(
        lambda norm, args: heights.append(len(args[0][0]))
    )
    with torch.no_grad():
        strip = block(x)
    assert len(heights) > 1, 'the whole map at once'
    handle.remove()
    torch.testing.assert_close(strip, block(x).detach())
