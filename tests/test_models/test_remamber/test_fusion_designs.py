# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""In-context scan, attention and norm adaptation against their definitions, written out."""

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

from mmseg_remamber.models.remamber.attention import AttentionBlock
from mmseg_remamber.models.remamber.embedding import MapPosition
from mmseg_remamber.models.remamber.in_context import InContextScan
from mmseg_remamber.models.remamber.norm import NormBlock, TextPool
from mmseg_remamber.text import Text


def positions(height, width):
    """Order in which each route visits the cells of a map."""
    rows = [(i, j) for i in range(height) for j in range(width)]
    columns = [(i, j) for j in range(width) for i in range(height)]
    return rows, columns, rows[::-1], columns[::-1]


def scan_by_definition(module, x, text, token_mask):
    """One token at a time, all words first. x: (B, H, W, C), text: (B, T, C) float64."""
    conv = module.conv2d(module.in_proj(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    x, text = F.silu(conv), F.silu(module.in_proj(text))
    (batch, height, width, inner), num_tokens = x.shape, text.shape[1]
    n, r = module.state_dim, module.rank
    x_out, text_out = torch.zeros_like(x), torch.zeros_like(text)
    for k, route in enumerate(positions(height, width)):
        a = -module.A_logs[k * inner : (k + 1) * inner].exp()
        skip = module.Ds[k * inner : (k + 1) * inner]
        state = x.new_zeros(batch, inner, n)
        for step in [*range(num_tokens), *route]:
            is_word = isinstance(step, int)
            u = text[:, step] if is_word else x[:, step[0], step[1]]
            projected = u @ module.x_proj_weight[k].T
            dt, b, c = projected[:, :r], projected[:, r : r + n], projected[:, r + n :]
            d = F.softplus(dt @ module.dt_projs_weight[k].T + module.dt_projs_bias[k])[..., None]
            new = (d * a).exp() * state + d * b[:, None] * u[..., None]
            if is_word and token_mask is not None:
                new = torch.where(token_mask[:, step, None, None], new, state)
            state = new
            y = (state * c[:, None]).sum(-1) + skip * u
            if is_word:
                text_out[:, step] += y
            else:
                x_out[:, step[0], step[1]] += y
    return tuple(module.out_proj(module.out_norm(out)) for out in (x_out, text_out))


@pytest.mark.parametrize('hw', [(1, 1), (5, 7), (1, 9), (6, 1)])
@pytest.mark.parametrize('masked', [False, True])
@pytest.mark.parametrize('state_dim', [1, 3])
@torch.no_grad()
def test_in_context_scan(hw, masked, state_dim):
    torch.manual_seed(0)
    module = InContextScan(6, state_dim=state_dim).double()
    x, text = torch.randn(2, *hw, 6).double(), torch.randn(2, 4, 6).double()
    mask = torch.tensor([[1, 1, 1, 0], [1, 0, 1, 0]]).bool() if masked else None
    got, want = module(x, text, mask), scan_by_definition(module, x, text, mask)
    assert torch.allclose(got[0], want[0], atol=1e-10)
    assert torch.allclose(got[1], want[1], atol=1e-10)


@torch.no_grad()
def test_in_context_text_does_not_read_the_map():
    torch.manual_seed(0)
    module = InContextScan(6)
    text = torch.randn(1, 4, 6)
    first, second = (module(torch.randn(1, 3, 5, 6), text)[1] for _ in range(2))
    assert torch.allclose(first, second, atol=1e-6)


@torch.no_grad()
def test_in_context_stage():
    """Words and map with their positions, then each block: scan and MLP, residuals on both."""
    torch.manual_seed(0)
    stage = MODELS.build(
        dict(type='InContextFusion', dim=8, text_dim=12, num_tokens=5, position_size=3)
    )
    x, words, sentence = torch.randn(2, 3, 3, 8), torch.randn(2, 5, 12), torch.randn(2, 12)
    want = x + stage.map_position.position[0].permute(1, 2, 0)
    text = stage.words.proj(words) + stage.words.position
    for block in stage.blocks:
        scanned = block.scan(block.norm(want), block.norm(text))
        want, text = want + scanned[0], text + scanned[1]
        want, text = want + block.mlp(block.norm2(want)), text + block.mlp(block.norm2(text))
    text = Text(words, torch.ones(2, 5, dtype=torch.bool), sentence)
    assert torch.allclose(stage(x, text)[0], want, atol=1e-6)


@pytest.mark.parametrize('masked', [False, True])
@torch.no_grad()
def test_attention(masked):
    torch.manual_seed(0)
    block = AttentionBlock(8, num_heads=2, mlp_ratio=2.0).double()
    torch.nn.init.normal_(block.attention.in_proj_bias)
    x, text = torch.randn(2, 3, 5, 8).double(), torch.randn(2, 4, 8).double()
    padding = torch.tensor([[0, 0, 0, 1], [0, 1, 0, 1]]).bool() if masked else None

    weights, biases = (block.attention.in_proj_weight, block.attention.in_proj_bias)
    query, key, value = (
        (tokens @ w.T + b).unflatten(-1, (2, 4))
        for tokens, w, b in zip(
            (block.norm(x), text, text), weights.chunk(3), biases.chunk(3), strict=True
        )
    )
    scores = torch.einsum('bijhd,bthd->bhijt', query, key) / 4**0.5
    if masked:
        scores = scores.masked_fill(padding[:, None, None, None], float('-inf'))
    read = torch.einsum('bhijt,bthd->bijhd', scores.softmax(-1), value).flatten(-2)
    want = x + block.attention.out_proj(read)
    want = want + block.mlp(block.norm2(want))
    assert torch.allclose(block(x, text, padding), want, atol=1e-10)


def test_heads_have_one_width_at_every_stage():
    options = dict(type='AttentionFusion', text_dim=12, num_tokens=5, head_dim=4)
    for dim in (8, 16):
        for block in MODELS.build(dict(options, dim=dim)).blocks:
            assert block.attention.num_heads == dim // 4


@torch.no_grad()
def test_attention_knows_places_by_its_positions_alone():
    torch.manual_seed(0)
    stage = MODELS.build(
        dict(type='AttentionFusion', dim=8, text_dim=12, num_tokens=5, position_size=4, head_dim=4)
    )
    x, words = torch.randn(1, 1, 1, 8).expand(1, 4, 6, 8), torch.randn(1, 5, 12)
    sentence = torch.randn(1, 12)

    def fused(words):
        return stage(x, Text(words, torch.ones(1, 5, dtype=torch.bool), sentence))[0]

    assert fused(words).std((1, 2)).min() > 1e-3
    assert not torch.allclose(fused(words), fused(words.flip(1)), atol=1e-5)
    stage.map_position.position.zero_()
    assert fused(words).std((1, 2)).max() < 1e-5
    stage.words.position.zero_()
    assert torch.allclose(fused(words), fused(words.flip(1)), atol=1e-5)


@torch.no_grad()
def test_map_positions_are_interpolated():
    module = MapPosition(1, size=2)
    module.position.copy_(torch.tensor([[0.0, 1.0], [4.0, 5.0]]))
    at = {size: module(torch.zeros(1, *size, 1))[0, ..., 0] for size in ((2, 2), (1, 1), (1, 4))}
    assert torch.equal(at[2, 2], module.position[0, 0])
    assert torch.allclose(at[1, 1], torch.tensor([[2.5]]))
    assert torch.allclose(at[1, 4], torch.tensor([[2.0, 2.25, 2.75, 3.0]]))


@torch.no_grad()
def test_film():
    torch.manual_seed(0)
    block = NormBlock(6, mlp_ratio=2.0).double()
    x, text = torch.randn(2, 3, 5, 6).double(), torch.randn(2, 6).double()
    normed = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    film = text @ block.film.weight.T + block.film.bias
    for i in range(2):
        hidden = (1 + film[i, :6]) * normed[i] + film[i, 6:]
        hidden = F.gelu(hidden @ block.mlp.fc1.weight.T + block.mlp.fc1.bias)
        want = x[i] + hidden @ block.mlp.fc2.weight.T + block.mlp.fc2.bias
        assert torch.allclose(block(x, text)[i], want, atol=1e-10)


@pytest.mark.parametrize('mask_padding', [False, True])
@torch.no_grad()
def test_text_pool(mask_padding):
    torch.manual_seed(0)
    pool = TextPool(5, 6, mask_padding=mask_padding)
    words, mask = torch.randn(2, 4, 5), torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]]).bool()
    for i, count in enumerate((3, 2) if mask_padding else (4, 4)):
        want = sum(pool.mlp(word) for word in words[i, :count]) / count
        assert torch.allclose(pool(Text(words, mask, words[:, 0]))[i], want, atol=1e-6)
