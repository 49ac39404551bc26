# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from PIL import Image

from mmseg_remamber.analysis.maps import (
    area_of,
    interaction_maps,
    principal_components,
    receptive_field,
    step_maps,
)
from mmseg_remamber.analysis.samples import own_sample, words_of
from mmseg_remamber.analysis.scans import route_weights
from mmseg_remamber.apis import init_model
from mmseg_remamber.layers import conv_nhwc, resize_nhwc
from mmseg_remamber.models.remamber.correlation import LocalText
from mmseg_remamber.vmamba import SS2D

MINI = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
DESIGN = 'configs/remamber/ablations/remamber-conv_vmamba-mini_{}_1xb48-1200i_refshapes-80x80.py'


def build(root, config):
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match='untrained'):
        return init_model(root / config)


@pytest.fixture(scope='module')
def model(root):
    return build(root, MINI)


@pytest.fixture(scope='module')
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp('picture') / 'a.png'
    pixels = np.random.default_rng(0).integers(256, size=(50, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path, pixels


def test_own_sample(model, picture):
    path, pixels = picture
    batch, seen = own_sample(model, path, 'the red cat', (70, 50))
    assert (seen == pixels).all()
    assert words_of(model, 'the red cat') == ['<start>', 'the', 'red', 'cat', '<end>']
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    want = (torch.from_numpy(pixels).float() - mean) / std
    torch.testing.assert_close(batch['inputs'][0], want.permute(2, 0, 1))
    batch, seen = own_sample(model, path, 'cat')  # the config's size
    assert seen.shape == (80, 80, 3)
    batch, seen = own_sample(model, path, 'cat', (48, 32))
    assert seen.shape == (32, 48, 3) and batch['inputs'].shape == (1, 3, 32, 48)


def test_interactions_are_what_the_model_reads(model, picture):
    batch, _ = own_sample(model, picture[0], 'the red cat', (70, 50))
    maps = interaction_maps(model, batch)
    assert [tuple(found.shape[1:3]) for found in maps.values()] == [
        (13, 18), (7, 9), (4, 5), (2, 3),
    ]  # fmt: skip
    # what the rest of the module makes of these maps is what it gave
    given = []
    modules = [module for module in model.backbone.modules() if isinstance(module, LocalText)]
    handles = [m.register_forward_hook(lambda m, a, output: given.append(output)) for m in modules]
    with torch.no_grad():
        model.extract_feat(batch['inputs'], batch['data_samples'])
        for module, found, output in zip(modules, maps.values(), given, strict=True):
            want = module.out_proj(module.act(conv_nhwc(module.conv, found)))
            torch.testing.assert_close(output, want)
    for handle in handles:
        handle.remove()
    assert not any(module._forward_hooks for module in model.modules())


def test_attention_of_each_place_sums_to_one(root, picture):
    model = build(root, DESIGN.format('attention'))
    batch, _ = own_sample(model, picture[0], 'the red cat', (70, 50))
    before = model.extract_feat(batch['inputs'], batch['data_samples'])
    maps = interaction_maps(model, batch)
    assert len(maps) == 4
    for found in maps.values():
        torch.testing.assert_close(found.sum(-1), torch.ones(found.shape[:3]))
    after = model.extract_feat(batch['inputs'], batch['data_samples'])
    torch.testing.assert_close(before, after, rtol=0, atol=0)


def test_models_without_such_maps(root, picture):
    model = build(root, DESIGN.format('norm'))
    batch, _ = own_sample(model, picture[0], 'cat', (70, 50))
    with pytest.raises(ValueError, match='the model has no interaction maps'):
        interaction_maps(model, batch)
    with pytest.raises(ValueError, match='the model has no steps to show'):
        step_maps(model, batch)


def test_twister_maps_follow_from_each_other(model, picture):
    batch, _ = own_sample(model, picture[0], 'the red cat', (70, 50))
    maps = step_maps(model, batch)
    modules = dict(model.backbone.named_modules())
    assert len(maps) == 4
    for name, found in maps.items():
        twister = modules[name]
        with torch.no_grad():
            before, channel, spatial = found.values()
            small = resize_nhwc(before, (twister.scan_size, twister.scan_size))
            full = resize_nhwc(twister.scan_channels(small), before.shape[1:3])
            torch.testing.assert_close(before + full, channel)
            torch.testing.assert_close(twister.spatial_scan(channel), spatial)
            assert list(found) == ['before', 'after channel scan', 'after spatial scan']


def test_principal_components():
    axes = torch.linalg.qr(torch.randn(9, 9, dtype=torch.float64)).Q[:3]
    scores = torch.randn(30, 3, dtype=torch.float64)
    scores = torch.linalg.qr(scores - scores.mean(0)).Q * torch.tensor([5.0, 3.0, 1.0])
    got, share = principal_components((scores @ axes + 7).unflatten(0, (5, 6)))
    signs = torch.where(scores.gather(0, scores.abs().argmax(0, keepdim=True)) < 0, -1, 1)
    torch.testing.assert_close(got.flatten(0, 1).double(), scores * signs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(share, torch.tensor([25.0, 9.0, 1.0]) / 35)


def test_receptive_field_of_the_first_convolution_is_local(model, picture):
    batch, _ = own_sample(model, picture[0], 'cat', (70, 50))
    fields = receptive_field(model, batch)
    assert [tuple(field.shape) for field in fields] == [(50, 70)] * 4
    assert all(field.min() >= 0 and field.max() > 0 for field in fields)
    # the scans see every pixel, yet the first stage sees mostly the centre's neighbourhood
    first = fields[0]
    assert first[15:40, 25:50].sum() > 0.5 * first.sum()
    assert not batch['inputs'].requires_grad


def test_area():
    field = torch.tensor([[0.0, 5.0], [4.0, 1.0]])
    assert [area_of(field, share) for share in (0.5, 0.9, 1.0)] == [0.25, 0.5, 0.75]


@pytest.mark.parametrize('gated, state', [(False, 1), (True, 3)])
@pytest.mark.parametrize('query', [(0, 0), (2, 3), (4, 6)])
def test_route_weights_rebuild_the_scan(gated, state, query):
    torch.manual_seed(1)
    scan = SS2D(8, state_dim=state, gated=gated)
    x = torch.randn(5, 7, 8)
    seen = {}
    scan.out_norm.register_forward_pre_hook(lambda module, args: seen.update(y=args[0]))
    weights = route_weights(scan, x, query)
    with torch.no_grad():
        scan(x[None])
        u = scan.in_proj(x[None])[..., : scan.out_norm.normalized_shape[0]]
        u = torch.nn.functional.silu(scan.conv2d(u.permute(0, 3, 1, 2)))[0].permute(1, 2, 0)
        y = (weights * u).sum((0, 1, 2)) + scan.Ds.unflatten(0, (4, -1)).sum(0) * u[query]
    torch.testing.assert_close(y, seen['y'][0][query], rtol=1e-4, atol=1e-4)
    later = weights[0].flatten(0, 1)[query[0] * 7 + query[1] + 1 :]
    assert not later.any()
