# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The Swin trunk against Swin's equations, written a second time, and against mmseg's forward."""

import math
from contextlib import contextmanager

import golden
import pytest
import torch
import torch.nn.functional as F
from mmseg.models.backbones import SwinTransformer

from mmseg_remamber import fast
from mmseg_remamber.fast import strips
from mmseg_remamber.models.swin import SwinTrunk, trunk

SIZES = [(32, 32), (61, 93), (96, 64), (50, 75), (33, 40)]


def build(window=4, **options):
    torch.manual_seed(0)
    options = dict(dim=16, depths=(2, 2, 3, 1), num_heads=(2, 4, 4, 8)) | options
    model = SwinTrunk(**options, window_size=window)
    for name, parameter in model.named_parameters():
        if name.endswith(('bias', 'table')):
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


def stages(model, img):
    x, maps = model.stem(img), []
    for index in range(len(model.dims)):
        x = model.run_stage(x, index)
        maps.append(x)
    return maps


def reference_block(block, x, window, shift):
    """One token after another of the padded, rolled map (Swin, Sec. 3.2)."""
    batch, height, width, channels = x.shape
    attn, heads = block.attn.w_msa, block.attn.w_msa.num_heads
    rows, columns = (math.ceil(side / window) * window for side in (height, width))
    normed = torch.zeros(batch, rows, columns, channels)
    normed[:, :height, :width] = block.norm1(x)
    normed = normed.roll((-shift, -shift), (1, 2))
    q, k, v = attn.qkv(normed).chunk(3, dim=-1)
    out = torch.zeros_like(normed)

    def band(place, side):
        if not shift:
            return 0
        return 0 if place < side - window else 1 if place < side - shift else 2

    for top in range(0, rows, window):
        for left in range(0, columns, window):
            places = [(top + i, left + j) for i in range(window) for j in range(window)]
            ys, xs = (torch.tensor(values) for values in zip(*places, strict=True))
            bias = torch.zeros(heads, len(places), len(places))
            for a, (ya, xa) in enumerate(places):
                for b, (yb, xb) in enumerate(places):
                    row = (ya - yb + window - 1) * (2 * window - 1) + xa - xb + window - 1
                    bias[:, a, b] = attn.relative_position_bias_table[row]
                    if (band(ya, rows), band(xa, columns)) != (band(yb, rows), band(xb, columns)):
                        bias[:, a, b] -= 100
            for head in range(heads):
                own = slice(head * channels // heads, (head + 1) * channels // heads)
                a, b, c = (t[:, ys, xs, own] for t in (q, k, v))
                scores = a @ b.mT * (channels // heads) ** -0.5 + bias[head]
                out[:, ys, xs, own] = scores.softmax(-1) @ c
    out = attn.proj(out).roll((shift, shift), (1, 2))[:, :height, :width]
    x = x + out
    (first, *_), second, *_ = block.ffn.layers
    return x + second(F.gelu(first(block.norm2(x))))


@contextmanager
def exporting():
    """The form that exported graphs have, without a graph."""
    with pytest.MonkeyPatch.context() as patch, fast.disabled():
        patch.setattr(torch.compiler, 'is_exporting', lambda: True)
        yield


@pytest.mark.parametrize('mode', [fast.disabled, torch.no_grad, exporting])
@pytest.mark.parametrize('shift', [0, 2])
@pytest.mark.parametrize('size', [(8, 8), (5, 7), (4, 4), (2, 3), (9, 4)])
@torch.no_grad()
def test_a_block_is_swins(size, shift, mode):
    block = build().stages[0].blocks[1 if shift else 0]
    assert block.attn.shift_size == shift
    x = torch.randn(2, *size, 16)
    with mode():
        got = trunk.swin_block(block, x)
    torch.testing.assert_close(got, reference_block(block, x, 4, shift), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('window', [4, 5, 7])
@pytest.mark.parametrize('size', SIZES)
@torch.no_grad()
def test_it_is_mmsegs(size, window):
    model = build(window)
    want = SwinTransformer(
        embed_dims=16, depths=(2, 2, 3, 1), num_heads=(2, 4, 4, 8), window_size=window,
        out_indices=(3,),
    )  # fmt: skip
    want.load_state_dict(model.state_dict(), strict=False)
    want.norm3 = torch.nn.Identity()
    want.eval()
    img = torch.randn(2, 3, *size)
    (last,) = want(img)
    torch.testing.assert_close(stages(model, img)[-1].permute(0, 3, 1, 2), last)
    for mode in (fast.disabled, exporting):
        with mode():
            torch.testing.assert_close(stages(model, img)[-1].permute(0, 3, 1, 2), last)


@pytest.mark.parametrize('values', [1, 3000, 10**9])
@pytest.mark.parametrize('size', SIZES)
@torch.no_grad()
def test_strips_of_any_height_give_the_same(monkeypatch, size, values):
    monkeypatch.setattr(strips, 'STRIP_VALUES', values)
    model, img = build(), torch.randn(3, 3, *size)
    with fast.disabled():
        want = stages(model, img)
    for got, plain in zip(stages(model, img), want, strict=True):
        assert golden.relative(got, plain) < 1e-5


@torch.no_grad()
def test_fast_is_plain_in_half_precision():
    model, img = build(), torch.randn(2, 3, 61, 93)
    want = stages(model, img)[-1]
    with torch.autocast('cpu', torch.bfloat16):
        assert golden.relative(stages(model, img)[-1].float(), want) < 3e-2


def test_maps_of_the_stages():
    model = build()
    assert model.dims == (16, 32, 64, 128)
    sizes = [tuple(x.shape[1:]) for x in stages(model, torch.randn(1, 3, 61, 93))]
    assert sizes == [(16, 24, 16), (8, 12, 32), (4, 6, 64), (2, 3, 128)]


def test_recomputing_leaves_gradients_alone():
    grads = []
    for with_cp in (False, True):
        model = build(with_cp=with_cp).train()
        img = torch.ones(1, 3, 40, 40).requires_grad_()
        torch.manual_seed(1)
        stages(model, img)[-1].square().sum().backward()
        grads.append([img.grad, *(p.grad for p in model.parameters())])
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)


def test_initial_weights():
    torch.manual_seed(0)
    model = SwinTrunk(96, depths=(2, 2), num_heads=(3, 6))
    block = model.stages[0].blocks[0]
    for weight in (block.ffn.layers[1].weight, block.attn.w_msa.relative_position_bias_table):
        assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert not block.attn.w_msa.qkv.bias.any()
    # torch's own, of a fan-in of 48
    assert float(model.patch_embed.projection.weight.detach().std()) == pytest.approx(
        48**-0.5 / 3**0.5, rel=0.1
    )
    rates = [b.attn.drop.drop_prob for stage in model.stages for b in stage.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3])


def test_drop_path_drops_both_branches_of_samples():
    torch.manual_seed(0)
    block = SwinTrunk(16, depths=(1, 1), num_heads=(2, 4), drop_path_rate=0.5).stages[1].blocks[0]
    x = torch.randn(400, 2, 2, 32)
    untouched = (trunk.swin_block(block.train(), x) == x).flatten(1).all(1)
    assert float(untouched.float().mean()) == pytest.approx(0.25, abs=0.07)
    assert not (trunk.swin_block(block.eval(), x) == x).flatten(1).all(1).any()


def test_it_is_built_on_the_meta_device():
    with torch.device('meta'):
        model = SwinTrunk()
    assert all(p.is_meta for p in model.parameters())


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(num_heads=(2, 4)), r'num_heads must be as many as depths, 4, got \[2, 4\]'),
        (dict(num_heads=(3, 4, 4, 8)), r'widths \[16, 32, 64, 128\] must be multiples'),
    ],
)
def test_wrong_sizes_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        build(**options)
