# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba's published numbers: classifier logits and backbone maps of three variants."""

import golden
import pytest
import torch
from mmseg.registry import MODELS
from vmamba_classifier import VMambaClassifier

from mmseg_remamber.vmamba import VMamba
from mmseg_remamber.vmamba.weights import from_official

_VANILLA = dict(
    dim=16, depths=(1, 1, 2, 1), ssm_ratio=2.0, gated=True, conv_bias=True, drop_path_rate=0.0
)
CASES = {
    'vmamba_vanilla_small_60x92': dict(
        _VANILLA, state_dim=16, mlp_ratio=0.0, patch_embed='v1', downsample='v1'
    ),
    'vmamba_v2down_small_64x96': dict(
        _VANILLA, state_dim=2, mlp_ratio=4.0, patch_embed='v2', downsample='v2'
    ),
    'vmamba_tiny_s1l8_96x64': 'tiny-s1l8',
}


@pytest.mark.parametrize('name', CASES)
@torch.no_grad()
def test_published_outputs(name):
    state = from_official(golden.weights(name.rpartition('_')[0]))
    want = golden.arrays(name)

    classifier = VMambaClassifier(CASES[name], num_classes=want['logits'].shape[1]).eval()
    classifier.load_state_dict(state, strict=True)
    assert golden.relative(classifier(want['img']), want['logits']) < 1e-5

    backbone = VMamba(CASES[name]).eval()
    core = {k.removeprefix('backbone.'): v for k, v in state.items() if 'out_norms' not in k}
    missing, unexpected = backbone.load_state_dict(core, strict=False)
    assert {key.split('.')[0] for key in missing} == {'out_norms'}
    assert {key.split('.')[0] for key in unexpected} == {'head'}
    for i, feat in enumerate(backbone(want['img'])):
        assert golden.relative(feat, want[f'feat{i}']) < 1e-5, i


@pytest.mark.parametrize('size', ['64x96', '97x131'])
@torch.no_grad()
def test_published_backbone_with_its_output_norms(size):
    state = from_official(golden.weights('vmamba_backbone_small'))
    backbone = VMamba(golden.SMALL_ARCH).eval()
    backbone.load_state_dict({key.removeprefix('backbone.'): v for key, v in state.items()})
    want = golden.arrays(f'vmamba_backbone_small_{size}')
    for i, feat in enumerate(backbone(want['img'])):
        assert golden.relative(feat, want[f'feat{i}']) < 1e-5, i


@pytest.mark.parametrize('size', ['64x96', '97x131'])
@torch.no_grad()
def test_published_upernet(size):
    """A segmentor of mmseg on the backbone, all of its keys from a published file."""
    head = dict(num_classes=7, align_corners=False, norm_cfg=dict(type='BN'))
    model = MODELS.build(
        dict(
            type='EncoderDecoder',
            backbone=dict(type='VMamba', arch=golden.SMALL_ARCH),
            decode_head=dict(
                head, type='UPerHead', in_channels=[16, 32, 64, 128], in_index=[0, 1, 2, 3],
                channels=32,
            ),
            auxiliary_head=dict(
                head, type='FCNHead', in_channels=64, in_index=2, channels=16, num_convs=1,
                concat_input=False,
            ),
        )
    ).eval()  # fmt: skip
    model.load_state_dict(from_official(golden.weights('vmamba_upernet_small')))
    want = golden.arrays(f'vmamba_upernet_small_{size}')
    feats = model.extract_feat(want['img'])
    assert golden.relative(model.decode_head(feats), want['head']) < 1e-5
    assert golden.relative(model.auxiliary_head(feats), want['aux']) < 1e-5
    meta = dict(img_shape=want['img'].shape[2:], ori_shape=want['img'].shape[2:])
    logits = model.encode_decode(want['img'], [meta])
    assert golden.relative(logits, want['logits']) < 1e-5
