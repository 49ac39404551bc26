# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba's published numbers: classifier logits and backbone maps of three variants."""

import golden
import pytest
import torch

from mmseg_remamber.vmamba import VMamba, VMambaClassifier
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
    missing, unexpected = backbone.load_state_dict(
        {key.removeprefix('backbone.'): value for key, value in state.items()}, strict=False
    )
    assert {key.split('.')[0] for key in missing} == {'out_norms'}
    assert {key.split('.')[0] for key in unexpected} == {'norm', 'head'}
    for i, feat in enumerate(backbone(want['img'])):
        assert golden.relative(feat, want[f'feat{i}']) < 1e-5, i
