# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import golden
import pytest
import torch

from mmseg_remamber.models.remamber.weights import from_official, head_of, is_official, to_official

TEXT = 'text_encoder.text_model.'


def same(a, b):
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


def spelled(state, spelling):
    """A state of transformers 4.35 as other releases spell it."""
    if spelling == '5.0':
        return {key.replace(TEXT, 'text_encoder.'): value for key, value in state.items()}
    if spelling == '4.0':
        return state | {TEXT + 'embeddings.position_ids': torch.arange(77)[None]}
    return state


@pytest.mark.parametrize(
    ('name', 'spelling'),
    [
        *((f'remamber_{h}_small', s) for h in ('conv', 'mamba') for s in ('4.0', '4.31', '5.0')),
        ('remamber_conv_base', '4.31'),
        ('remamber_mamba_base', '4.31'),
    ],
)
def test_there_and_back(name, spelling):
    official = spelled(golden.weights(name), spelling)
    ours = from_official(official)
    assert not is_official(ours)
    assert is_official(official)
    assert head_of(ours) == head_of(official) == name.split('_')[1]
    assert same(to_official(ours, spelling=spelling), official)
    assert same(from_official(to_official(ours)), ours)


@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_every_weight_of_a_model_has_a_published_name(head):
    state = golden.build(head, 'small').state_dict()
    assert same(to_official(state), golden.weights(f'remamber_{head}_small'))


@pytest.mark.parametrize(
    'key',
    [
        'backbone.layers.0.blocks.0.op.in_proj.lora',
        'backbone.layers.0.blocks.0.op.in_proj.bias',
        'backbone.multimodal_blocks.0.blocks.0.self_attention.ss3d.Ds',
        'backbone.surprise.weight',
        'decoder.surprise',
        'decoder.neck.0.running_mean',
        'optimizer.step',
    ],
)
def test_unexplained_keys_are_errors(key):
    state = golden.weights('remamber_conv_small') | {key: torch.ones(1)}
    with pytest.raises(ValueError, match=rf"1 keys of another model: \['{key}'\]"):
        from_official(state)


@pytest.mark.parametrize('key', ['visual.proj', 'text_model.encoder.layers.0.mlp.fc3.weight'])
def test_unexplained_keys_of_the_text_model_are_errors(key):
    state = golden.weights('remamber_conv_small') | {f'text_encoder.{key}': torch.ones(1)}
    with pytest.raises(ValueError, match=rf"keys of another model: \['{key}'\]"):
        from_official(state)


def test_two_spellings_of_one_weight_are_an_error():
    name = 'final_layer_norm.bias'
    state = golden.weights('remamber_conv_small')
    state[f'text_encoder.{name}'] = state[TEXT + name]
    with pytest.raises(ValueError, match=f"two keys become 'model.{name}'"):
        from_official(state)


def test_position_ids_must_be_what_is_left_out():
    state = golden.weights('remamber_conv_small')
    state[TEXT + 'embeddings.position_ids'] = torch.tensor([[0, 2, 1]])
    with pytest.raises(ValueError, match=r'position_ids must be 0, 1, 2, ..., got \[\[0, 2, 1\]\]'):
        from_official(state)


def test_a_fusion_design_of_ours_has_no_published_keys():
    state = golden.build('conv', 'small').state_dict()
    state['backbone.fusions.0.blocks.0.attention.out_proj.weight'] = torch.ones(1)
    with pytest.raises(ValueError, match=r"another model: \['backbone.fusions.0.blocks"):
        to_official(state)


def test_another_model_is_refused():
    with pytest.raises(ValueError, match=r"not a ReMamber checkpoint.*\['backbone.conv1.weight'\]"):
        head_of({'backbone.conv1.weight': torch.ones(1)})


def test_an_unknown_spelling_is_named():
    with pytest.raises(ValueError, match=r"one of \['4.0', '4.31', '5.0'\], got '6'"):
        to_official(golden.build('conv', 'small').state_dict(), spelling='6')
