# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The published system's own numbers, from its own weights."""

import statistics

import golden
import golden_swin
import pytest
import torch

from mmseg_remamber.checkpoints import recognise, weight_family


def outputs_of(model, img, ids, mask):
    """What the golden files have, by its names."""
    text = model.text_encoder(ids, mask)
    found = dict(words=text.words)
    x, left = model.backbone.image.stem(img), text
    feats = []
    for i, fuse in enumerate(model.backbone.fusions):
        x, text, feat, left = fuse(model.backbone.image.run_stage(x, i), text)
        feats.append(feat.permute(0, 3, 1, 2))
        found |= {f'feat{i}': feats[-1], f'lang{i}': left.words.transpose(1, 2)}
    head = model.decode_head
    features, levels = head.pixel_decoder(feats, left)
    found |= dict(mask_feat=features) | {f'level{i}': level for i, level in enumerate(levels)}
    queries = []
    with torch.no_grad():
        handle = head.query_decoder.filter.register_forward_pre_hook(
            lambda module, args: queries.append(args[0])
        )
        head.query_decoder(levels, left)
        handle.remove()
    found |= {f'query{i}': query for i, query in enumerate(queries)}
    for i, pred in enumerate(head(feats, left)):
        found |= {f'pred{i}': pred, f'logits{i}': head.resize(pred, img.shape[2:])}
    return found


def check(model, name):
    want = golden.arrays(name)
    img, ids, mask = want['img'], want['ids'], want['mask']
    got = outputs_of(model, img, ids, mask)
    outputs = set(want) - {'img', 'ids', 'mask'}
    assert outputs <= set(got)
    for output in outputs:
        assert golden.relative(got[output].reshape(want[output].shape), want[output]) < 2e-5, output
    assert golden.relative(model.logits(img, ids, mask), want['logits6']) < 2e-5


@pytest.mark.parametrize(('size', 'heads'), golden_swin.FILES)
@pytest.mark.parametrize('mode', golden_swin.MODES)
@torch.no_grad()
def test_small_model_gives_the_published_outputs(size, heads, mode):
    model = golden_swin.build('lgformer', 'small', heads)
    with mode():
        check(model, f'lgformer_small_{size}')


@torch.no_grad()
def test_base_model_gives_the_published_outputs():
    model = golden_swin.build('lgformer', 'base')
    for mode in golden_swin.MODES:
        with mode():
            check(model, 'lgformer_base_256x320')


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_losses_and_every_gradient_norm(dtype):
    name = 'lgformer_small_64x64'
    want, batch = golden.grads(name), golden.arrays(name)
    model = golden_swin.build('lgformer', 'small').to(dtype)
    maps = model.maps(batch['img'].to(dtype), batch['ids'], batch['mask'])
    losses = model.decode_head.loss_of_maps(maps, golden.arrays(f'{name}_gt')['gt'])
    order = [f'aux{i}_loss_ce' for i in range(6)] + ['loss_ce']
    assert set(losses) == set(order)
    for key, loss in zip(order, want['losses'], strict=True):
        assert float(losses[key]) == pytest.approx(loss, rel=1e-4), key
    total = sum(losses.values())
    wide = dtype == torch.float64
    suffix = '64' if wide else ''
    assert float(total) == pytest.approx(want[f'loss{suffix}'], rel=1e-7 if wide else 1e-4)
    total.backward()
    got = golden_swin.gradients('lgformer', model)
    norms = want[f'grad_norm{suffix}']
    least = 1e-6 * max(norms.values())
    assert set(norms) | set(want['no_grad']) == set(got)
    differences = []
    for key, gradient in got.items():
        if key in want['no_grad']:
            assert gradient is None, key
        elif key in want['zero_grad']:
            assert float(gradient.norm()) < least, key
        else:
            # a kink that rounding flips moves norms of float32
            bound = 1e-6 if wide else 5e-2
            assert float(gradient.norm()) == pytest.approx(norms[key], rel=bound), key
            differences.append(abs(float(gradient.norm()) / norms[key] - 1))
    assert statistics.median(differences) < (1e-7 if wide else 2e-3)


@pytest.mark.parametrize('size', ['small', 'base'])
def test_keys_go_both_ways(size):
    family = weight_family('lgformer')
    official = golden.weights(f'lgformer_{size}')
    ours = family.from_official(official)
    back = family.to_official(ours)
    assert set(back) == set(official)
    assert all(torch.equal(back[key], official[key]) for key in official)
    assert recognise(official) is family and recognise(ours) is None


def test_keys_of_something_else_are_refused():
    family = weight_family('lgformer')
    official = golden.weights('lgformer_small')
    for key in ('classifier.aux.weight', 'backbone.layers.0.fusion.extra.weight', 'other.bias'):
        with pytest.raises(ValueError, match='1 keys of another model'):
            family.from_official(official | {key: torch.ones(1)})
