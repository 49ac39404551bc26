# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What every fusion stage has to do, whatever its design."""

import pytest
import torch
from mmseg.registry import MODELS

from mmseg_remamber.text import Text

DIM, TEXT_DIM, TOKENS = 8, 12, 5
SIZES = dict(dim=DIM, text_dim=TEXT_DIM, num_tokens=TOKENS)
DESIGNS = {
    'twister': dict(type='TwisterFusion', scan_size=4, hidden_dim=16),
    'in-context': dict(type='InContextFusion', position_size=4),
    'attention': dict(type='AttentionFusion', position_size=4, head_dim=4),
    'norm': dict(type='NormFusion'),
}
each_design = pytest.mark.parametrize('design', DESIGNS)


def build(design, *, dtype=torch.float32, **options):
    torch.manual_seed(0)
    return MODELS.build(dict(DESIGNS[design], **SIZES, **options)).to(dtype)


def fused(stage, x, words, sentence, mask):
    """The map that goes on, which is the one that leaves; the text stays as it is."""
    text = Text(words, mask, sentence)
    made = stage(x, text)
    assert made.x is made.out and made.text is made.out_text is text
    return made.x


def inputs(hw, *, batch=2, dtype=torch.float32, real_tokens=TOKENS):
    generator = torch.Generator().manual_seed(1)
    x, words, sentence = (
        torch.randn(batch, *shape, generator=generator, dtype=dtype)
        for shape in ((*hw, DIM), (TOKENS, TEXT_DIM), (TEXT_DIM,))
    )
    return x, words, sentence, (torch.arange(TOKENS) < real_tokens).expand(batch, TOKENS)


@each_design
@pytest.mark.parametrize('hw', [(1, 1), (5, 7), (9, 2), (4, 4)])
@torch.no_grad()
def test_a_map_of_any_size_keeps_its_size(design, hw):
    x, *text = inputs(hw)
    stage = build(design)
    got = fused(stage, x, *text)
    assert got.shape == x.shape
    assert torch.isfinite(got).all()
    strided = x.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert torch.allclose(fused(stage, strided, *text), got, atol=1e-6)


@each_design
@torch.no_grad()
def test_samples_of_a_batch_do_not_mix(design):
    stage, batch = build(design), inputs((5, 3), real_tokens=3)
    for i in range(2):
        alone = fused(stage, *(tensor[i : i + 1] for tensor in batch))
        assert torch.allclose(alone, fused(stage, *batch)[i : i + 1], atol=1e-5)


@each_design
@torch.no_grad()
def test_the_words_matter_at_every_position(design):
    stage, (x, words, *rest) = build(design), inputs((5, 7))
    changed = words.clone()
    changed[:, 2] += 1
    difference = (fused(stage, x, words, *rest) - fused(stage, x, changed, *rest)).abs().amax(-1)
    assert (difference > 1e-6).all()


@each_design
@torch.no_grad()
def test_only_pooling_forgets_the_order_of_the_words(design):
    stage, (x, words, *rest) = build(design), inputs((5, 7))
    same = torch.allclose(
        fused(stage, x, words, *rest), fused(stage, x, words.flip(1), *rest), atol=1e-5
    )
    assert same is (design == 'norm')


@each_design
@pytest.mark.parametrize('mask_padding', [False, True])
@torch.no_grad()
def test_padding_takes_part_only_when_it_may(design, mask_padding):
    stage = build(design, mask_padding=mask_padding)
    x, words, sentence, mask = inputs((5, 7), real_tokens=3)
    changed = words.clone()
    changed[:, 3:] += 1
    before, after = (fused(stage, x, w, sentence, mask) for w in (words, changed))
    assert torch.equal(before, after) is mask_padding
    if mask_padding:  # a word that is no padding still counts
        changed[:, 2] += 1
        assert not torch.allclose(before, fused(stage, x, changed, sentence, mask), atol=1e-4)


@each_design
@pytest.mark.parametrize('mask_padding', [False, True])
def test_gradients_reach_every_parameter(design, mask_padding):
    stage = build(design, mask_padding=mask_padding)
    fused(stage, *inputs((6, 7), real_tokens=3)).square().sum().backward()
    still = [n for n, p in stage.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


@each_design
@pytest.mark.parametrize('mask_padding', [False, True])
def test_gradients_are_those_of_the_function(design, mask_padding):
    stage = build(design, dtype=torch.float64, mask_padding=mask_padding, depth=1)
    *tensors, mask = inputs((2, 3), batch=1, dtype=torch.float64, real_tokens=3)
    for tensor in tensors:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(lambda *t: fused(stage, *t, mask), tensors)


@each_design
@torch.no_grad()
def test_bfloat16_autocast_is_close_and_finite(design):
    stage, arguments = build(design), inputs((12, 12), real_tokens=3)
    want = fused(stage, *arguments)
    with torch.autocast('cpu', torch.bfloat16):
        got = fused(stage, *arguments)
    assert torch.isfinite(got).all()
    assert float((got.float() - want).norm() / want.norm()) < 2e-2


@pytest.mark.parametrize('design', ['twister', 'in-context', 'attention'])
def test_wrong_token_count_is_named(design):
    x, words, sentence, mask = inputs((2, 2))
    with pytest.raises(ValueError, match='words must have 5 tokens, got 4'):
        fused(build(design), x, words[:, :4], sentence, mask[:, :4])


@pytest.mark.parametrize(
    ('design', 'options', 'match'),
    [
        ('twister', dict(scans='both'), r"scans must be one of \['channel', .*\], got 'both'"),
        (
            'twister',
            dict(texts=()),
            r"texts must be one or both of \['global', 'local'\], got \(\)",
        ),
        ('twister', dict(texts=['global', 'word']), r"texts must be .* got \['global', 'word'\]"),
        ('twister', dict(texts=['local', 'local']), r"texts must be .* got \['local', 'local'\]"),
        ('twister', dict(texts='global'), "texts must be .* got 'global'"),
        ('attention', dict(head_dim=3), 'head_dim must divide dim 8, got 3'),
        ('attention', dict(position_size=0), 'size must be positive, got 0'),
        ('in-context', dict(position_size=0), 'size must be positive, got 0'),
    ],
)
def test_bad_options_are_named(design, options, match):
    with pytest.raises(ValueError, match=match):
        MODELS.build({**DESIGNS[design], **SIZES, **options})
