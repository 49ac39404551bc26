# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import golden
import pytest
import torch

from mmseg_remamber.models.checkpoint import from_official, head_of


@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_head_is_recognised(head):
    assert head_of(golden.weights(f'remamber_{head}_small')) == head


def test_older_spellings_of_the_text_model_are_read():
    state = golden.weights('remamber_conv_small')
    want = from_official(state)
    old = {f'module.{key}': value for key, value in state.items()}
    old['module.text_encoder.text_model.embeddings.position_ids'] = torch.arange(77)[None]
    assert list(from_official(old)) == list(want)
    new = {key.replace('text_model.', ''): value for key, value in state.items()}
    assert list(from_official(new)) == list(want)


@pytest.mark.parametrize(
    ('key', 'match'),
    [
        ('backbone.layers.0.blocks.0.op.in_proj.lora', None),
        ('backbone.surprise.weight', r"keys of another model: \['surprise.weight'\]"),
        ('decoder.surprise', r"keys of another model: \['surprise'\]"),
        ('text_encoder.visual.proj', r"keys of another model: \['visual.proj'\]"),
        ('optimizer.step', "key 'optimizer.step' belongs to none of"),
    ],
)
def test_unexplained_keys_are_errors(key, match):
    state = golden.weights('remamber_conv_small') | {key: torch.ones(1)}
    if match is None:  # inside an SS2D any name passes conversion and fails the strict load
        model = golden.build('conv', 'small')
        with pytest.raises(RuntimeError, match=r'op\.in_proj\.lora'):
            model.load_state_dict(from_official(state))
    else:
        with pytest.raises(ValueError, match=match):
            from_official(state)


def test_another_model_is_refused():
    with pytest.raises(ValueError, match=r"not a ReMamber checkpoint.*\['backbone.conv1.weight'\]"):
        head_of({'backbone.conv1.weight': torch.ones(1)})
