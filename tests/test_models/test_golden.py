# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The published system's own numbers, from its own weights."""

import json

import golden
import pytest
import torch
from mmseg.registry import MODELS

HEADS = ('conv', 'mamba')


@pytest.fixture(scope='module')
def small():
    return {head: golden.build(head, 'small') for head in HEADS}


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('size', ['64x64', '61x93', '96x64'])
@torch.no_grad()
def test_small_model_gives_the_published_outputs(small, head, size):
    model, want = small[head], golden.arrays(f'remamber_{head}_small_{size}')
    img, ids, mask = want['img'], want['ids'], want['mask']
    words, sentence = model.text_encoder(ids, mask)
    feats = model.backbone(img, words, sentence, mask)
    got = {f'feat{i}': feat for i, feat in enumerate(feats)}
    got |= dict(word=words, sent=sentence, pred=model.decode_head(feats, words, sentence, mask))
    got['logits'] = model.logits(img, ids, mask)
    if head == 'mamba':
        maps = model.decode_head.level_maps(feats, words, sentence, mask)
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
    words, sentence = model.text_encoder(ids, mask)
    feats = model.backbone(img, words, sentence, mask)
    assert golden.relative(sentence, want['sent']) < 1e-5
    assert golden.relative(feats[3], want['feat3']) < 1e-5
    assert golden.relative(model.decode_head(feats, words, sentence, mask), want['pred']) < 1e-5
    assert golden.relative(model.logits(img, ids, mask), want['logits']) < 1e-5


@pytest.mark.parametrize('head', HEADS)
def test_losses_and_every_gradient_norm(head):
    from mmseg_remamber.models.checkpoint import from_official

    name = f'remamber_{head}_small_64x64'
    want = json.loads((golden.FOLDER / f'{name}.grads.json').read_text())
    official = golden.weights(f'remamber_{head}_small', want['salt'])
    model = MODELS.build(golden.model_config(head, 'small')).eval()
    model.load_state_dict(from_official(official), strict=True)
    batch, target = golden.arrays(name), golden.arrays(f'{name}_gt')['gt'][:, 0].long()

    logits = model.logits(batch['img'], batch['ids'], batch['mask'])
    dice, bce = (loss(logits, target) for loss in model.losses)
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
