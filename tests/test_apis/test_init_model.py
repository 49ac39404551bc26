# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import golden
import pytest
import torch
from mmengine.config import Config

from mmseg_remamber.apis import init_model


@pytest.fixture
def cfg():
    return Config(dict(model=golden.model_config('conv', 'small')))


def test_without_a_checkpoint_it_warns(cfg):
    with pytest.warns(UserWarning, match='no checkpoint given: the weights are untrained'):
        model = init_model(cfg, cfg_options={'model.threshold': 0.7})
    assert model.threshold == 0.7
    assert model.cfg.model.threshold == 0.7
    assert not model.training


def test_weights_are_loaded_strictly(cfg, tmp_path):
    source = golden.build('conv', 'small')
    path = tmp_path / 'model.pth'
    torch.save({'state_dict': source.state_dict()}, path)
    model = init_model(cfg, path)
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    with pytest.raises(ValueError, match=r'model.pth. is of another model than the config'):
        init_model(Config(dict(model=golden.model_config('mamba', 'small'))), path)


def test_an_unconverted_checkpoint_is_refused_with_a_hint(cfg, tmp_path):
    torch.save({'model': golden.weights('remamber_conv_small')}, tmp_path / 'theirs.pth')
    with pytest.raises(ValueError, match=r'converted by tools/model_converters/remamber.py'):
        init_model(cfg, tmp_path / 'theirs.pth')


def test_a_missing_checkpoint_is_an_error(cfg):
    with pytest.raises(FileNotFoundError, match=r'nowhere.pth'):
        init_model(cfg, 'nowhere.pth')
