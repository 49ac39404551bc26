# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.config import Config

from mmseg_remamber.configuration import load_config


@pytest.fixture
def cfg():
    return Config(dict(model=dict(type='A', heads=[dict(width=1)]), lr=0.1))


def test_overrides_are_merged_into_a_copy(cfg):
    merged = load_config(cfg, {'model.type': 'B', 'model.heads.0.width': 2, 'model.new': 3})
    assert merged.model == dict(type='B', heads=[dict(width=2)], new=3)
    assert cfg.model.type == 'A'


@pytest.mark.parametrize(
    ('key', 'match'),
    [
        ('modle.type', "the config has no 'modle'; did you mean model"),
        ('model.typ', "model has no 'typ'; did you mean type"),
        ('model.neck.width', "model has no 'neck'"),
        ('model.heads.1.width', "model.heads has no '1'"),
        ('lr.value', "lr has no 'value'"),
    ],
)
def test_a_misspelt_override_is_named(cfg, key, match):
    with pytest.raises(KeyError, match=match):
        load_config(cfg, {key: 1})


def test_missing_file_and_wrong_type():
    with pytest.raises(FileNotFoundError, match=r"config 'nowhere.py' does not exist"):
        load_config('nowhere.py')
    with pytest.raises(TypeError, match='must be a path or a Config, got dict'):
        load_config({})
