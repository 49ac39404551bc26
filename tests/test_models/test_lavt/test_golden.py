# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The published system's own numbers, from its own weights."""

import golden
import golden_swin
import pytest
import torch

from mmseg_remamber.checkpoints import recognise, weight_family


def check(model, name):
    want = golden.arrays(name)
    img, ids, mask = want['img'], want['ids'], want['mask']
    text = model.text_encoder(ids, mask)
    feats, left = model.backbone(img, text)
    (pred,) = model.decode_head(feats, left)
    assert left is text
    got = {f'feat{i}': feat for i, feat in enumerate(feats)} | dict(words=text.words, pred=pred)
    got['logits'] = model.decode_head.resize(pred, img.shape[2:])
    outputs = set(want) - {'img', 'ids', 'mask'}
    assert outputs <= set(got)
    for output in outputs:
        assert golden.relative(got[output], want[output]) < 2e-5, output
    background, thing = want['logits'].split(1, dim=1)
    assert golden.relative(model.logits(img, ids, mask), thing - background) < 2e-5


@pytest.mark.parametrize(('size', 'heads'), golden_swin.FILES)
@pytest.mark.parametrize('mode', golden_swin.MODES)
@torch.no_grad()
def test_small_model_gives_the_published_outputs(size, heads, mode):
    model = golden_swin.build('lavt', 'small', heads)
    with mode():
        check(model, f'lavt_small_{size}')


@torch.no_grad()
def test_base_model_gives_the_published_outputs():
    model = golden_swin.build('lavt', 'base')
    for mode in golden_swin.MODES:
        with mode():
            check(model, 'lavt_base_256x320')


def test_the_loss_and_every_gradient_norm():
    name = 'lavt_small_64x64'
    want, batch = golden.grads(name), golden.arrays(name)
    model = golden_swin.build('lavt', 'small')
    maps = model.maps(batch['img'], batch['ids'], batch['mask'])
    losses = model.decode_head.loss_of_maps(maps, golden.arrays(f'{name}_gt')['gt'])
    assert list(losses) == ['loss_ce']
    assert float(losses['loss_ce']) == pytest.approx(want['loss'], rel=1e-5)
    losses['loss_ce'].backward()
    got = golden_swin.gradients('lavt', model)
    norms, least = want['grad_norm'], 1e-6 * max(want['grad_norm'].values())
    assert set(norms) | set(want['no_grad']) == set(got)
    for key, gradient in got.items():
        if key in want['no_grad']:
            assert gradient is None, key
        elif key in want['zero_grad']:
            assert float(gradient.norm()) < least, key
        else:
            assert float(gradient.norm()) == pytest.approx(norms[key], rel=1e-4), key


@pytest.mark.parametrize('size', ['small', 'base'])
@pytest.mark.parametrize('layout', ['lavt_one', 'lavt'])
def test_keys_go_both_ways(size, layout):
    family = weight_family('lavt')
    official = golden.weights(f'lavt_{size}')
    ours = family.from_official(official)
    back = family.to_official(ours, layout=layout)
    prefix = dict(lavt_one='text_encoder.', lavt='bert_model.')[layout]
    spelt = {key.replace('text_encoder.', prefix): value for key, value in official.items()}
    assert set(back) == set(spelt)
    assert all(torch.equal(back[key], spelt[key]) for key in spelt)
    again = family.from_official(back)
    assert all(torch.equal(again[key], ours[key]) for key in ours)
    assert recognise(spelt) is family and recognise(ours) is None


def test_keys_of_something_else_are_refused():
    family = weight_family('lavt')
    official = golden.weights('lavt_small')
    for key in ('classifier.aux.weight', 'backbone.layers.0.fusion.extra.weight', 'other.bias'):
        with pytest.raises(ValueError, match='1 keys of another model'):
            family.from_official(official | {key: torch.ones(1)})
    with pytest.raises(ValueError, match=r"layout must be one of \['lavt', 'lavt_one'\], got 'x'"):
        family.to_official({}, layout='x')
