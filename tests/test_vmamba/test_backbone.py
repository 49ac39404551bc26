# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import golden
import pytest
import torch
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import Registry
from mmseg.registry import MODELS
from vmamba_classifier import VMambaClassifier

from mmseg_remamber.vmamba import ARCHS, VMamba

ARCH = dict(golden.SMALL_ARCH, depths=(1, 1, 1, 1), drop_path_rate=0.2)

# millions of parameters of the classifiers, as the VMamba paper's tables round them
PUBLISHED_PARAMETERS = {
    'tiny-vanilla': 23, 'small-vanilla': 44, 'base-vanilla': 76,
    'tiny-s2l5': 31, 'small-s2l15': 50, 'base-s2l15': 89,
    'tiny-s1l8': 30, 'small-s1l20': 49, 'base-s1l20': 87,
}  # fmt: skip


@pytest.mark.parametrize('arch', sorted(ARCHS))
def test_variants_have_the_published_size(arch):
    with torch.device('meta'):
        model = VMambaClassifier(arch)
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    assert millions == pytest.approx(PUBLISHED_PARAMETERS[arch], abs=1.0)


@pytest.mark.parametrize('hw', [(1, 1), (33, 57), (64, 32)])
def test_maps_have_strides_4_to_32_at_any_size(hw):
    outs = VMamba(ARCH, out_indices=(0, 2, 3))(torch.randn(2, 3, *hw))
    for out, level in zip(outs, (0, 2, 3), strict=True):
        stride = 4 * 2**level
        assert out.shape == (2, 16 * 2**level, -(-hw[0] // stride), -(-hw[1] // stride))


def test_checkpointing_changes_memory_not_gradients():
    torch.manual_seed(0)
    plain = VMamba(dict(ARCH, drop_path_rate=0.0))
    recomputed = VMamba(dict(ARCH, drop_path_rate=0.0), with_cp=True)
    recomputed.load_state_dict(plain.state_dict())
    img = torch.randn(1, 3, 32, 32)
    for model in (plain, recomputed):
        sum(out.square().mean() for out in model(img)).backward()
    for (name, a), b in zip(plain.named_parameters(), recomputed.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-6), name


def test_checkpointed_blocks_run_twice_in_a_training_step():
    model = VMamba(ARCH, with_cp=True)
    calls = []
    model.stages[0][0].register_forward_pre_hook(lambda *_: calls.append(1))
    sum(out.mean() for out in model(torch.randn(1, 3, 32, 32))).backward()
    assert len(calls) == 2


def test_frozen_stages_stay_still():
    model = VMamba(ARCH, frozen_stages=2).train()
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {
        n for n, _ in model.named_parameters()
        if n.startswith(('patch_embed.', 'stages.0.', 'stages.1.', 'downsamples.0.'))
    }  # fmt: skip
    assert not model.stages[1].training
    assert model.stages[2].training
    assert model.train().stages[0][0].drop_path.training is False
    assert all(p.requires_grad for p in VMamba(ARCH).parameters())


def test_stochastic_depth_rises_linearly_and_drops_whole_samples():
    model = VMamba(dict(ARCH, drop_path_rate=0.3))
    rates = [block.drop_path.rate for stage in model.stages for block in stage]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3])
    drop = model.stages[3][0].drop_path
    torch.manual_seed(0)
    x = drop.train()(torch.ones(1000, 2, 3))
    assert sorted(x.unique().tolist()) == pytest.approx([0.0, 1 / 0.7])
    assert all(len(sample.unique()) == 1 for sample in x)
    assert float(x.mean()) == pytest.approx(1, abs=0.1)
    assert torch.equal(drop.eval()(x), x)


@pytest.mark.parametrize('scope', ['mmseg', 'mmdet', 'mmpretrain'])
def test_resolves_from_every_toolbox(scope):
    toolbox = MODELS if scope == 'mmseg' else Registry('model', parent=ROOT_MODELS, scope=scope)
    assert isinstance(toolbox.build(dict(type='VMamba', arch=ARCH)), VMamba)


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(arch='huge'), "arch must be one of .*'base-s2l15'.* got 'huge'"),
        (dict(arch=dict(ARCH, dims=3)), r"unknown keys \['dims'\]"),
        (dict(arch={'dim': 16}), 'missing keys'),
        (dict(arch=dict(ARCH, downsample='v9')), "one of .*'v1', 'v2', 'v3'.* got 'v9'"),
        (dict(out_indices=(0, 4)), r'out_indices must lie in \[0, 4\)'),
        (dict(frozen_stages=5), r'frozen_stages must be in \[-1, 4\], got 5'),
        (dict(drop_path_rate=1.5), r'rate must be in \[0, 1\)'),
    ],
)
def test_bad_options_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        VMamba(**{'arch': ARCH, **options})


def test_a_misspelt_option_is_an_error():
    with pytest.raises(TypeError, match='drop_pth'):
        VMamba(ARCH, drop_pth=0.1)


@pytest.fixture
def classifier_file(tmp_path):
    path = tmp_path / 'vmamba.pth'
    torch.save({'model': golden.weights('vmamba_v2down_small')}, path)
    return str(path)


V2DOWN = dict(
    dim=16, depths=(1, 1, 2, 1), state_dim=2, ssm_ratio=2.0, gated=True, conv_bias=True,
    mlp_ratio=4.0, patch_embed='v2', downsample='v2', drop_path_rate=0.0,
)  # fmt: skip


def test_published_classifier_weights_initialise_a_backbone(classifier_file):
    model = VMamba(V2DOWN, init_cfg=dict(type='Pretrained', checkpoint=classifier_file))
    model.init_weights()
    official = golden.weights('vmamba_v2down_small')
    assert torch.equal(
        model.stages[2][1].op.in_proj.weight, official['layers.2.blocks.1.op.in_proj.weight']
    )
    assert torch.equal(model.out_norms['0'].weight, torch.ones(16))


def test_own_weights_initialise_a_backbone(tmp_path):
    source = VMamba(ARCH)
    torch.save({'state_dict': source.state_dict()}, tmp_path / 'own.pth')
    model = VMamba(ARCH, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'own.pth')))
    model.init_weights()
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_weights_of_another_variant_are_refused(classifier_file):
    model = VMamba(ARCH, init_cfg=dict(type='Pretrained', checkpoint=classifier_file))
    with pytest.raises(ValueError, match=r'(?s)does not fit this backbone:.*of another shape'):
        model.init_weights()


def test_weights_of_another_model_are_refused(tmp_path):
    torch.save({'layers.0.attn.qkv.weight': torch.ones(3)}, tmp_path / 'swin.pth')
    model = VMamba(ARCH, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'swin.pth')))
    with pytest.raises(ValueError, match=r"keys of another model: \['layers.0.attn.qkv.weight'\]"):
        model.init_weights()


def test_mmengines_initialisers_do_what_they_say():
    torch.manual_seed(0)
    kaiming = dict(type='Kaiming', layer='Linear', mode='fan_in', nonlinearity='linear')
    models = [VMamba(ARCH, init_cfg=cfg) for cfg in (kaiming, [kaiming], None)]
    for model in models:
        model.init_weights()
    for name, module in models[0].named_modules():
        if isinstance(module, torch.nn.Linear):
            wanted = module.in_features**-0.5
            assert module.weight.std().item() == pytest.approx(wanted, rel=0.2), name
            assert models[1].get_submodule(name).weight.std() > 0.8 * wanted, name
            # VMamba's own
            own = models[2].get_submodule(name).weight.std()
            assert own.item() == pytest.approx(0.02, rel=0.2), name


def test_pretrained_weights_are_not_read_beside_other_initialisers():
    pretrained = dict(type='Pretrained', checkpoint='weights.pth')
    with pytest.raises(ValueError, match="init_cfg must not have others beside type 'Pretrained'"):
        VMamba(ARCH, init_cfg=[dict(type='Kaiming', layer='Linear'), pretrained]).init_weights()


def test_a_part_of_a_whole_models_weights_initialises_a_backbone(tmp_path):
    source, path = VMamba(ARCH), str(tmp_path / 'whole.pth')
    state = {f'backbone.image.{key}': value for key, value in source.state_dict().items()}
    torch.save({'state_dict': state | {'head.weight': torch.ones(2)}}, path)
    pretrained = dict(type='Pretrained', checkpoint=path)
    model = VMamba(ARCH, init_cfg=dict(pretrained, prefix='backbone.image.'))
    model.init_weights()
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    with pytest.raises(ValueError, match=r"no key that begins with 'trunk\.'.*'backbone', 'head'"):
        VMamba(ARCH, init_cfg=dict(pretrained, prefix='trunk.')).init_weights()
    with pytest.raises(ValueError, match=r"init_cfg takes checkpoint.* got .*'map_location'"):
        VMamba(ARCH, init_cfg=dict(pretrained, map_location='cpu')).init_weights()


VANILLA = dict(
    ARCH, gated=True, conv_bias=True, mlp_ratio=0.0, patch_embed='v1', downsample='v1'
)  # fmt: skip


@torch.no_grad()
def test_odd_maps_are_padded_or_cropped():
    """44 x 60 pixels: maps of 11 x 15, then 6 x 8 or 5 x 7."""
    torch.manual_seed(0)
    padded, cropped = VMamba(VANILLA).eval(), VMamba(VANILLA, crop_odd_maps=True).eval()
    cropped.load_state_dict(padded.state_dict())
    img = torch.randn(1, 3, 44, 60)
    assert [tuple(x.shape[2:]) for x in padded(img)] == [(11, 15), (6, 8), (3, 4), (2, 2)]
    assert [tuple(x.shape[2:]) for x in cropped(img)] == [(11, 15), (5, 7), (2, 3), (1, 1)]
    merging = cropped.downsamples[0]
    x = torch.randn(1, 5, 7, 16)
    merged = padded.downsamples[0](x[:, :4, :6])
    torch.testing.assert_close(merging(x), merged)


def test_cropping_is_for_patch_merging_alone():
    with pytest.raises(ValueError, match="crop_odd_maps is for variants with downsample 'v1'"):
        VMamba(ARCH, crop_odd_maps=True)


@torch.no_grad()
def test_maps_are_contiguous():
    """mmcv's RoIAlign reads the memory of another order wrongly, without a word."""
    assert all(x.is_contiguous() for x in VMamba(ARCH).eval()(torch.randn(1, 3, 64, 64)))
