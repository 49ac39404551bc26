# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import sys

import golden
import pytest
import torch
from mmengine.config import Config

from mmseg_remamber.apis import init_model
from mmseg_remamber.checkpoints import write_checkpoint


@pytest.fixture
def cfg():
    return Config(dict(model=golden.model_config('conv', 'small')))


def test_without_a_checkpoint_it_warns(cfg):
    with pytest.warns(UserWarning, match='no checkpoint given: the weights are untrained'):
        model = init_model(cfg, cfg_options={'model.threshold': 0.7})
    assert model.threshold == 0.7
    assert model.cfg.model.threshold == 0.7
    assert not model.training


@pytest.fixture
def source():
    return golden.build('conv', 'small')


def same_weights(model, source):
    state = model.state_dict()
    return all(torch.equal(state[key], value) for key, value in source.state_dict().items())


def test_weights_are_loaded(cfg, source, tmp_path):
    path = tmp_path / 'model.pth'
    torch.save({'state_dict': source.state_dict()}, path)
    assert same_weights(init_model(cfg, path), source)


def test_an_unconverted_checkpoint_is_refused_with_a_hint(cfg, tmp_path):
    torch.save({'model': golden.weights('remamber_conv_small')}, tmp_path / 'theirs.pth')
    with pytest.raises(ValueError, match=r'converted by tools/model_converters/remamber.py'):
        init_model(cfg, tmp_path / 'theirs.pth')


@pytest.mark.parametrize('suffix', ['pth', 'safetensors'])
def test_a_checkpoint_with_its_config_is_enough(cfg, source, tmp_path, suffix):
    cfg.model.threshold = 0.3
    meta = dict(cfg=cfg.pretty_text, dataset_meta=dict(classes=['background', 'object']))
    path = tmp_path / f'model.{suffix}'
    write_checkpoint(path, source.state_dict(), meta)
    model = init_model(checkpoint=path, cfg_options={'model.backbone.with_cp': True})
    assert same_weights(model, source)
    assert (model.threshold, model.backbone.with_cp) == (0.3, True)
    assert model.dataset_meta == dict(classes=['background', 'object'])
    assert model.cfg.model.threshold == 0.3


def test_modules_that_the_config_names_are_imported(cfg, source, tmp_path, monkeypatch):
    (tmp_path / 'threshold_of_mine.py').write_text('imported = True\n')
    monkeypatch.syspath_prepend(tmp_path)
    cfg.custom_imports = dict(imports=['threshold_of_mine'])
    write_checkpoint(tmp_path / 'model.pth', source.state_dict(), dict(cfg=cfg.pretty_text))
    init_model(checkpoint=tmp_path / 'model.pth')
    assert sys.modules['threshold_of_mine'].imported


def test_a_checkpoint_without_a_config_needs_one(source, tmp_path):
    write_checkpoint(tmp_path / 'model.pth', source.state_dict(), {})
    with pytest.raises(ValueError, match=r"model.pth' has no config in it: give the config too"):
        init_model(checkpoint=tmp_path / 'model.pth')
    with pytest.raises(ValueError, match='config and checkpoint must not both be None'):
        init_model()


def test_a_missing_checkpoint_is_an_error(cfg):
    with pytest.raises(FileNotFoundError, match=r'nowhere.pth'):
        init_model(cfg, 'nowhere.pth')
