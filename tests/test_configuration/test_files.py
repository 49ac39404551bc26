# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.config import Config
from odd_names import ODD

from mmseg_remamber.configuration import load_config, parse_config


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


@pytest.mark.parametrize(
    ('text', 'match'),
    [
        ('model = dict(', 'never closed'),
        ('n = 1 / 0', 'division by zero'),
        ("n = dict()['width']", "no key 'width'"),
        ("n = int('ten')", 'invalid literal'),
        ('n = [][0]', 'index out of range'),
        ("n = 'a' + 1", 'can only concatenate'),
    ],
)
def test_a_file_that_cannot_be_run_is_named(tmp_path, text, match):
    path = tmp_path / 'mine, [été] +=#%.py'
    path.write_text(text)
    with pytest.raises(ValueError, match=match) as error:
        load_config(path)
    assert str(error.value).startswith(f'config {str(path)!r} cannot be read: ')


def test_files_in_a_folder_of_any_name(tmp_path):
    folder = tmp_path / ODD
    folder.mkdir()
    (folder / 'base [1].py').write_text(f'work_dir = {str(folder)!r}\n', encoding='utf-8')
    (folder / 'a+b=c, 図.py').write_text("_base_ = ['./base [1].py']\nlog_level = 'INFO'\n")
    cfg = load_config(folder / 'a+b=c, 図.py')
    assert cfg.work_dir == str(folder)
    cfg.dump(folder / 'dumped.py')
    assert load_config(folder / 'dumped.py').to_dict() == cfg.to_dict()
    assert parse_config(cfg.pretty_text).to_dict() == cfg.to_dict()
