# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest

import mmseg_remamber
from mmseg_remamber.configuration import config_folder, find_config, named_configs

BASE = 'remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480'
ABLATION = 'remamber-conv_vmamba-b_attention_8xb8-50e_refcoco-256x256'


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package with two configs in .mim, of which the metafile names one anew."""
    package = tmp_path / 'site-packages' / 'mmseg_remamber'
    family = package / '.mim' / 'configs' / 'family'
    (family / '_base_').mkdir(parents=True)
    for name in ('a.py', 'b.py', '_base_/c.py'):
        (family / name).write_text('')
    (package / '.mim' / 'model-index.yml').write_text('Import: [configs/family/metafile.yml]\n')
    (family / 'metafile.yml').write_text('Models:\n- {Name: best, Config: configs/family/b.py}\n')
    monkeypatch.setattr(mmseg_remamber, '__file__', str(package / '__init__.py'))
    return package / '.mim'


def test_models_of_the_checkout(root):
    assert config_folder() == root / 'configs'
    assert find_config(BASE) == root / 'configs' / 'remamber' / f'{BASE}.py'
    assert find_config(ABLATION) == root / 'configs' / 'remamber' / 'ablations' / f'{ABLATION}.py'
    files = {path for path in (root / 'configs').rglob('*.py') if '_base_' not in path.parts}
    assert sorted(named_configs().values()) == sorted(files)


def test_models_of_an_installed_package(installed):
    family = installed / 'configs' / 'family'
    assert config_folder() == installed / 'configs'
    assert named_configs() == {'best': family / 'b.py', 'a': family / 'a.py'}
    assert find_config('best') == family / 'b.py'


def test_a_folder_of_another_project_is_not_taken(installed):
    (installed.parents[1] / 'configs').mkdir()
    assert config_folder() == installed / 'configs'


def test_a_path_is_a_path(root, tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('')
    assert find_config(str(path)) == path
    with pytest.raises(FileNotFoundError, match=r"config 'nowhere\.py' does not exist"):
        find_config('nowhere.py')


def test_an_unknown_name_lists_the_nearest():
    with pytest.raises(FileNotFoundError) as error:
        find_config(BASE.replace('conv', 'convolution'))
    message = str(error.value)
    assert message.startswith("no model is named 'remamber-convolution_vmamba-b_8xb8")
    nearest = message.partition('there are ')[2].split(', ')
    assert BASE in nearest and len(nearest) == 3


def test_without_configs_a_path_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(mmseg_remamber, '__file__', str(tmp_path / 'mmseg_remamber/__init__.py'))
    with pytest.raises(FileNotFoundError, match='give the path of a config'):
        find_config(BASE)
