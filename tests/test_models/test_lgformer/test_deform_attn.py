# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Deformable attention: golden numbers, a loop in Python, gradients."""

import math

import golden
import pytest
import torch

from mmseg_remamber.models.lgformer.deform_attn import DeformableAttention, sample


def golden_file():
    with golden.np.load(golden.FOLDER / 'lgformer' / 'ms_deform_attn.npz') as file:
        return {key: torch.from_numpy(file[key]) for key in file}


def test_the_published_sampling_and_its_gradients():
    want = golden_file()
    inputs = {name: want[name].requires_grad_() for name in ('value', 'locations', 'weights')}
    sizes = [tuple(size) for size in want['shapes'].tolist()]
    out = sample(inputs['value'], sizes, inputs['locations'], inputs['weights'])
    assert golden.relative(out.detach(), want['out']) < 1e-6
    out.backward(want['grad_out'])
    for name, tensor in inputs.items():
        assert golden.relative(tensor.grad, want[f'grad_{name}']) < 1e-6, name


def by_hand(value, sizes, locations, weights):
    """Reads four pixels of each place, one place after another."""
    batch, queries, heads, levels, points, _ = locations.shape
    width = value.shape[-1]
    out = torch.zeros(batch, queries, heads, width, dtype=value.dtype)
    starts = [sum(h * w for h, w in sizes[:i]) for i in range(levels)]
    for b, q, head, level, point in torch.cartesian_prod(
        *map(torch.arange, (batch, queries, heads, levels, points))
    ).tolist():
        rows, columns = sizes[level]
        x, y = locations[b, q, head, level, point].tolist()
        x, y = x * columns - 0.5, y * rows - 0.5
        for row in (math.floor(y), math.floor(y) + 1):
            for column in (math.floor(x), math.floor(x) + 1):
                if 0 <= row < rows and 0 <= column < columns:
                    share = (1 - abs(y - row)) * (1 - abs(x - column))
                    place = starts[level] + row * columns + column
                    weight = weights[b, q, head, level, point]
                    out[b, q, head] += weight * share * value[b, place, head]
    return out.flatten(2)


@pytest.mark.parametrize('sizes', [[(1, 1)], [(5, 7), (3, 4), (2, 2)], [(1, 6), (4, 1)]])
def test_sampling_against_a_loop(sizes):
    torch.manual_seed(0)
    batch, queries, heads, points, width = 2, 3, 2, 2, 5
    value = torch.randn(batch, sum(h * w for h, w in sizes), heads, width).double()
    locations = torch.rand(batch, queries, heads, len(sizes), points, 2).double() * 1.6 - 0.3
    weights = torch.rand(batch, queries, heads, len(sizes), points).double()
    want = by_hand(value, sizes, locations, weights)
    torch.testing.assert_close(sample(value, sizes, locations, weights), want)
    strided = value.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(sample(strided, sizes, locations, weights), want)


def test_gradients_of_the_whole_are_those_of_the_function():
    torch.manual_seed(0)
    attention = DeformableAttention(4, heads=2, levels=2, points=2).double()
    with torch.no_grad():
        attention.offsets.weight.normal_(std=0.3)
        attention.weights.weight.normal_()
    sizes = [(3, 2), (2, 2)]
    places = torch.rand(5, 2).double()
    query, src = torch.randn(1, 5, 4).double(), torch.randn(1, 10, 4).double()

    def run(query, src):
        return attention(query, src, places, sizes)

    assert torch.autograd.gradcheck(run, (query.requires_grad_(), src.requires_grad_()))


def test_it_begins_by_looking_along_rays():
    attention = DeformableAttention(8, heads=4, levels=2, points=3)
    offsets = attention.offsets(torch.randn(1, 1, 8)).view(4, 2, 3, 2)
    rays = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    want = torch.tensor([[[x * n, y * n] for n in (1, 2, 3)] for x, y in rays]).float()
    torch.testing.assert_close(offsets, want[:, None].expand(-1, 2, -1, -1), atol=1e-6, rtol=0)
    assert not attention.weights(torch.randn(1, 1, 8)).any()


def test_a_width_that_heads_do_not_divide():
    with pytest.raises(ValueError, match='dim must be a multiple of heads, got 10 and 4'):
        DeformableAttention(10, heads=4)
