# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The published system's own numbers, from its own weights."""

from contextlib import nullcontext

import golden
import pytest
import torch
from mmseg.registry import MODELS

from mmseg_remamber import fast

HEADS = ('conv', 'mamba')
MODES = (nullcontext, fast.disabled)


@pytest.fixture(scope='module')
def small():
    return {head: golden.build(head, 'small') for head in HEADS}


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('size', ['64x64', '61x93', '96x64'])
@pytest.mark.parametrize('mode', MODES)
@torch.no_grad()
def test_small_model_gives_the_published_outputs(small, head, size, mode):
    model, want = small[head], golden.arrays(f'remamber_{head}_small_{size}')
    img, ids, mask = want['img'], want['ids'], want['mask']
    with mode():
        text = model.text_encoder(ids, mask)
        feats, _ = model.backbone(img, text)
        got = {f'feat{i}': feat for i, feat in enumerate(feats)}
        got |= dict(word=text.words, sent=text.sentence, pred=model.decode_head(feats, text)[-1])
        got['logits'] = model.logits(img, ids, mask)
        if head == 'mamba':
            maps = model.decode_head.level_maps(feats, text)
            got |= {f'head{i}': m for i, m in enumerate(maps)}
    outputs = set(want) - {'img', 'ids', 'mask'}
    assert outputs <= set(got)
    for name in outputs:
        assert golden.relative(got[name], want[name]) < 1e-5, name


@pytest.mark.parametrize('head', HEADS)
@torch.no_grad()
def test_base_model_gives_the_published_outputs(head):
    model, want = golden.build(head, 'base'), golden.arrays(f'remamber_{head}_base_128x160')
    img, ids, mask = want['img'], want['ids'], want['mask']
    for mode in MODES:
        with mode():
            text = model.text_encoder(ids, mask)
            feats, _ = model.backbone(img, text)
            assert golden.relative(text.sentence, want['sent']) < 1e-5
            assert golden.relative(feats[3], want['feat3']) < 1e-5
            assert golden.relative(model.decode_head(feats, text)[-1], want['pred']) < 1e-5
            assert golden.relative(model.logits(img, ids, mask), want['logits']) < 1e-5


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('mode', MODES)
def test_losses_and_every_gradient_norm(head, mode):
    from mmseg_remamber.models.remamber.weights import from_official

    name = f'remamber_{head}_small_64x64'
    want = golden.grads(name)
    official = golden.weights(f'remamber_{head}_small', want['salt'])
    model = MODELS.build(golden.model_config(head, 'small')).eval()
    model.load_state_dict(from_official(official), strict=True)
    batch, target = golden.arrays(name), golden.arrays(f'{name}_gt')['gt'][:, 0].long()

    with mode():
        maps = model.maps(batch['img'], batch['ids'], batch['mask'])
    dice, bce = model.decode_head.loss_of_maps(maps, target).values()
    assert float(dice) == pytest.approx(want['dice'], rel=1e-4)
    assert float(bce) == pytest.approx(want['bce'], rel=1e-4)
    (dice + bce).backward()

    # our names for the reference's: convert a state dict whose values are the names themselves
    ours = {old: new for new, old in from_official({key: key for key in official}).items()}
    grads = {key: p.grad for key, p in model.named_parameters()}
    norms = want['grad_norm']
    assert {ours[key] for key in norms} == set(grads)
    for key, norm in norms.items():
        got = 0.0 if grads[ours[key]] is None else float(grads[ours[key]].norm())
        if key.endswith('k_proj.bias'):  # zero but for rounding
            assert abs(got - norm) < 1e-7, key
        else:
            assert got == pytest.approx(norm, rel=1e-4, abs=1e-12), key
