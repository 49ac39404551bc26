# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import re

import golden
import pytest
import torch

from mmseg_remamber.vmamba import ARCHS, VMamba, VMambaClassifier
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


def test_the_spelling_of_the_first_releases():
    official = golden.weights('vmamba_vanilla_small')
    renames = [
        (r'^patch_embed\.0', 'patch_embed.proj'), (r'^patch_embed\.2', 'patch_embed.norm'),
        (r'(blocks\.\d+)\.norm\.', r'\1.ln_1.'), (r'(blocks\.\d+)\.op\.', r'\1.self_attention.'),
        (r'^classifier\.', ''),
    ]  # fmt: skip
    first = official
    for pattern, name in renames:
        first = {re.sub(pattern, name, key): value for key, value in first.items()}
    assert not set(first) & {'patch_embed.0.weight', 'classifier.head.weight'}
    assert same(from_official(first), from_official(official))


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
