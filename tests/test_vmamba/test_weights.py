# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import re

import golden
import pytest
import torch
from vmamba_classifier import VMambaClassifier

from mmseg_remamber.checkpoints import recognise
from mmseg_remamber.vmamba import ARCHS, VMamba
from mmseg_remamber.vmamba.weights import from_official, is_official, to_official

NAMES = ['vmamba_tiny_s1l8', 'vmamba_vanilla_small', 'vmamba_v2down_small']


def same(a, b):
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize('name', NAMES)
def test_there_and_back(name):
    official = golden.weights(name)
    ours = from_official(official)
    assert is_official(official)
    assert not is_official(ours)
    assert same(to_official(ours), official)


@pytest.mark.parametrize('arch', sorted(ARCHS))
def test_every_variant_goes_there_and_back(arch):
    with torch.device('meta'):
        shapes = {k: v.shape for k, v in VMambaClassifier(arch, num_classes=3).state_dict().items()}
    names = {key: key for key in shapes}  # the keys themselves as values
    assert from_official(to_official(names)) == names


def in_first_spelling(official):
    """Keys below a backbone as the first release has them."""
    renames = [
        (r'patch_embed\.0', 'patch_embed.proj'), (r'patch_embed\.2', 'patch_embed.norm'),
        (r'(blocks\.\d+)\.norm\.', r'\1.ln_1.'), (r'(blocks\.\d+)\.op\.', r'\1.self_attention.'),
    ]  # fmt: skip
    for pattern, name in renames:
        official = {re.sub(pattern, name, key): value for key, value in official.items()}
    return official


def test_the_spelling_of_the_first_releases():
    official = golden.weights('vmamba_vanilla_small')
    first = in_first_spelling(official)
    first = {key.removeprefix('classifier.'): value for key, value in first.items()}
    assert not set(first) & {'patch_embed.0.weight', 'classifier.head.weight'}
    assert same(from_official(first), from_official(official))


@pytest.mark.parametrize('name', ['vmamba_upernet_small', 'vmamba_maskrcnn_small'])
def test_a_whole_segmentor_or_detector_goes_there_and_back(name):
    official = golden.weights(name)
    ours = from_official(official)
    assert is_official(official) and not is_official(ours)
    assert recognise(official).name == 'vmamba'
    rest = {key for key in official if not key.startswith('backbone.')}
    assert rest == {key for key in ours if not key.startswith('backbone.')}
    assert same(to_official(ours), official)


@pytest.mark.parametrize('kind', ['', 'backbone.'])
def test_detectors_of_the_first_release(kind):
    """Of the vanilla family: the backbone in a detector's file, and alone."""
    arch = dict(
        golden.SMALL_ARCH, gated=True, conv_bias=True, mlp_ratio=0.0, patch_embed='v1',
        downsample='v1',
    )  # fmt: skip
    model = VMamba(arch)
    newest = {kind + key: value for key, value in to_official(model.state_dict()).items()}
    first = in_first_spelling(newest)
    assert f'{kind}layers.0.blocks.0.ln_1.weight' in first
    assert same(from_official(first), from_official(newest))


def test_linear_layers_spelt_as_convolutions_are_flattened():
    official = golden.weights('vmamba_upernet_small')
    ends = ('in_proj.weight', 'out_proj.weight', 'fc1.weight', 'fc2.weight')
    spelt = {k: v[..., None, None] if k.endswith(ends) else v for k, v in official.items()}
    assert not same(spelt, official)
    assert same(from_official(spelt), from_official(official))


@pytest.mark.parametrize('converted', [False, True])
def test_a_detectors_file_starts_a_backbone_with_its_norms(tmp_path, converted):
    official = golden.weights('vmamba_maskrcnn_small')
    state = from_official(official) if converted else official
    torch.save(dict(meta={}, state_dict=state), tmp_path / 'det.pth')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'det.pth'))
    model = VMamba(golden.SMALL_ARCH, init_cfg=init)
    model.init_weights()
    ours = from_official(official)
    for key, value in model.state_dict().items():
        assert torch.equal(value, ours[f'backbone.{key}']), key


def test_a_classifiers_norm_is_that_of_a_last_map_alone(tmp_path):
    """A detector begins with norms of its own, as the authors' do."""
    official = golden.weights('vmamba_v2down_small')
    torch.save(dict(model=official), tmp_path / 'cls.pth')
    arch = dict(
        golden.SMALL_ARCH, state_dim=2, gated=True, conv_bias=True, downsample='v2',
    )  # fmt: skip
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'cls.pth'))
    for indices, norm in (((3,), official['classifier.norm.weight']), ((0, 1, 2, 3), None)):
        model = VMamba(arch, out_indices=indices, init_cfg=init)
        model.init_weights()
        want = torch.ones_like(model.out_norms['3'].weight) if norm is None else norm
        assert torch.equal(model.out_norms['3'].weight, want)


@pytest.mark.parametrize('indices', [(), (1,), (3,), (0, 1, 2, 3)])
@pytest.mark.parametrize('name', ['vmamba_upernet_small', 'vmamba_v2down_small'])
def test_a_published_file_starts_a_backbone_with_any_output_norms(tmp_path, name, indices):
    """As a trunk of ReMamber has none; norms that it does not have are left out."""
    official = golden.weights(name)
    torch.save(dict(state_dict=official), tmp_path / 'a.pth')
    arch = dict(golden.SMALL_ARCH)
    if 'v2down' in name:
        arch.update(state_dim=2, gated=True, conv_bias=True, downsample='v2')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'))
    model = VMamba(arch, out_indices=indices, init_cfg=init)
    model.init_weights()
    ours = from_official(official)
    for key, value in model.state_dict().items():
        want = ours.get(f'backbone.{key}')
        if key.startswith('out_norms.') and ('v2down' in name and indices != (3,)):
            want = torch.full_like(value, key.endswith('weight'))
        assert torch.equal(value, want), key


def test_averaged_weights_are_taken_where_asked(tmp_path):
    plain, ema = (golden.weights('vmamba_backbone_small', salt) for salt in ('', 'ema'))
    torch.save(dict(model=plain, model_ema=ema), tmp_path / 'a.pth')
    for flag, want in ((False, plain), (True, ema)):
        init = dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'), ema=flag)
        model = VMamba(golden.SMALL_ARCH, init_cfg=init)
        model.init_weights()
        assert same(to_official(model.state_dict()), want)


def test_a_bare_backbone_has_published_keys_too():
    model = VMamba(dict(golden.SMALL_ARCH, depths=(1, 1)), out_indices=(1,))
    official = to_official(model.state_dict())
    assert torch.equal(official['outnorm1.weight'], torch.ones(32))
    back = {key.removeprefix('backbone.'): v for key, v in from_official(official).items()}
    assert same(back, model.state_dict())


@pytest.mark.parametrize(
    'key',
    ['layers.0.attn.qkv.weight', 'layers.0.blocks.0.op.in_proj.lora', 'classifier.fc.weight', 'Ds'],
)
def test_unexplained_keys_are_errors(key):
    state = golden.weights('vmamba_v2down_small') | {key: torch.ones(1)}
    with pytest.raises(ValueError, match=rf"1 keys of another model: \['{key}'\]"):
        from_official(state)
    with pytest.raises(ValueError, match='keys of another model'):
        to_official(state)
