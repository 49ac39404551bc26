# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published Swin weights: their order of channels, and what a trunk takes of a file."""

import pytest
import torch
import torch.nn.functional as F

from mmseg_remamber.models.swin import SwinTrunk
from mmseg_remamber.models.swin.trunk import merge_patches
from mmseg_remamber.models.swin.weights import (
    resize_table,
    trunk_from_official,
    trunk_to_official,
)

OPTIONS = dict(dim=8, depths=(1, 2), num_heads=(2, 4), window_size=4)


@pytest.fixture
def trunk():
    torch.manual_seed(0)
    trunk = SwinTrunk(**OPTIONS)
    for parameter in trunk.parameters():
        torch.nn.init.normal_(parameter)
    return trunk


def imagenet_file(trunk, path, **changes):
    """What Swin's program saves of a classifier."""
    state = trunk_to_official(trunk.state_dict())
    extra = ('norm.weight', 'norm.bias', 'head.weight', 'head.bias')
    state |= {key: torch.ones(3) for key in extra}
    state |= {'layers.1.blocks.1.attn_mask': torch.zeros(4, 16, 16)}
    torch.save(dict(model=state | changes), path)
    return dict(type='Pretrained', checkpoint=str(path))


def same(a, b):
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


def test_keys_go_both_ways(trunk):
    official = trunk_to_official(trunk.state_dict())
    assert 'layers.0.blocks.0.attn.relative_position_index' in official
    assert same(trunk_from_official(official), trunk.state_dict())


@pytest.mark.parametrize('size', [(6, 8), (5, 7), (1, 1)])
def test_merging_is_that_of_swins_program(trunk, size):
    official = trunk_to_official(trunk.state_dict())
    x = torch.randn(2, *size, 8)
    padded = F.pad(x, (0, 0, 0, size[1] % 2, 0, size[0] % 2))
    parts = [padded[:, i::2, j::2] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1))]
    name = 'layers.0.downsample'
    normed = F.layer_norm(
        torch.cat(parts, -1), (32,), official[f'{name}.norm.weight'], official[f'{name}.norm.bias']
    )
    want = normed @ official[f'{name}.reduction.weight'].T
    got = merge_patches(trunk.stages[0].downsample, x)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-4)


def test_an_imagenet_file_is_taken(trunk, tmp_path):
    other = SwinTrunk(**OPTIONS, init_cfg=imagenet_file(trunk, tmp_path / 'swin.pth'))
    assert not same(other.state_dict(), trunk.state_dict())
    other.init_weights()
    assert same(other.state_dict(), trunk.state_dict())


def test_own_weights_of_a_whole_model_are_taken(trunk, tmp_path):
    state = {f'backbone.image.{key}': value for key, value in trunk.state_dict().items()}
    torch.save(dict(state_dict=state | {'decode_head.bias': torch.ones(1)}), tmp_path / 'a.pth')
    cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'), prefix='backbone.image.')
    other = SwinTrunk(**OPTIONS, init_cfg=cfg)
    other.init_weights()
    assert same(other.state_dict(), trunk.state_dict())


def test_a_prefix_that_no_key_has_is_named(trunk, tmp_path):
    cfg = imagenet_file(trunk, tmp_path / 'swin.pth')
    with pytest.raises(ValueError, match=r"no key that begins with 'trunk\.'.*'head', 'layers'"):
        SwinTrunk(**OPTIONS, init_cfg=cfg | dict(prefix='trunk.')).init_weights()


def test_tables_of_another_window_are_resized(trunk, tmp_path):
    cfg = imagenet_file(trunk, tmp_path / 'swin.pth')
    other = SwinTrunk(**OPTIONS | dict(window_size=6), init_cfg=cfg)
    other.init_weights()
    name = 'stages.1.blocks.1.attn.w_msa.relative_position_bias_table'
    old, new = trunk.state_dict()[name], other.state_dict()[name]
    assert new.shape == (121, 4)
    square = old.T.reshape(1, 4, 7, 7)
    want = F.interpolate(square, (11, 11), mode='bicubic', align_corners=False)
    torch.testing.assert_close(new, want.reshape(4, 121).T)
    assert torch.equal(resize_table(old, 49), old)


@pytest.mark.parametrize(
    ('changes', 'match'),
    [
        ({'layers.0.blocks.0.attn.scale': torch.ones(1)}, '1 keys of another model'),
        ({'layers.0.blocks.0.norm1.weight': torch.ones(9)}, 'does not fit this trunk'),
        ({'patch_embed.proj.weight': torch.ones(8, 3, 2, 2)}, 'does not fit this trunk'),
        (
            {'layers.0.blocks.0.attn.relative_position_bias_table': torch.ones(50, 2)},
            'must be of a square of offsets, got 50 rows',
        ),
    ],
)
def test_a_file_of_something_else_is_refused(trunk, tmp_path, changes, match):
    cfg = imagenet_file(trunk, tmp_path / 'swin.pth', **changes)
    with pytest.raises(ValueError, match=match):
        SwinTrunk(**OPTIONS, init_cfg=cfg).init_weights()


def test_options_are_named(tmp_path):
    for cfg in (dict(type='Pretrained'), dict(type='Pretrained', checkpoint='a', map='cpu')):
        with pytest.raises(ValueError, match='init_cfg takes checkpoint, which must be given'):
            SwinTrunk(**OPTIONS, init_cfg=cfg).init_weights()
    cfg = [dict(type='Pretrained', checkpoint='a'), dict(type='Kaiming', layer='Linear')]
    with pytest.raises(ValueError, match="init_cfg must not have others beside type 'Pretrained'"):
        SwinTrunk(**OPTIONS, init_cfg=cfg).init_weights()
    with pytest.raises(FileNotFoundError):
        SwinTrunk(
            **OPTIONS, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'none.pth'))
        ).init_weights()


def test_other_initialisers():
    torch.manual_seed(0)
    cfg = dict(type='Kaiming', layer='Linear', mode='fan_in', nonlinearity='linear')
    trunk = SwinTrunk(32, depths=(1,), num_heads=(2,), init_cfg=cfg)
    trunk.init_weights()
    weight = trunk.stages[0].blocks[0].ffn.layers[1].weight
    assert float(weight.detach().std()) == pytest.approx(128**-0.5, rel=0.05)
