# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""--cfg-options: what is typed is what is meant, and reaches something or is refused."""

import argparse

import pytest
from mmengine.config import Config

from mmseg_remamber.configuration import add_cfg_options, load_config

BASE = 'configs/remamber/remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480.py'
MIXED = 'configs/remamber/remamber-conv_vmamba-b_8xb8-50e_mixed-256x256.py'
MINI = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'


def parse(*texts):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    return parser.parse_args(['--cfg-options', *texts]).cfg_options


@pytest.mark.parametrize(
    'text',
    [
        '/data/my photos', 'a,b', '[1]', '(x)', '/data/a+b', '/data/a=b', '/数据/ü', "it's", '1e5',
        '007', 'True', 'None', '{a}', "'quoted'", ' lead', '100%', '$HOME', '~/x', '[a, b', '#1',
        'C:\\new', '-x',
    ],
)  # fmt: skip
def test_text_stays_as_it_was_typed(root, text):
    cfg = load_config(root / BASE, parse(f'train_dataloader.dataset.data_root={text}'))
    assert cfg.train_dataloader.dataset.data_root == text


@pytest.mark.parametrize(
    ('text', 'want'),
    [
        ('2', 2), ('1e-4', 1e-4), ('true', True), ('False', False), ('None', None),
        ('[1, 2]', [1, 2]), ('(1, 2)', (1, 2)), ("['a', 'b,c']", ['a', 'b,c']),
        ("dict", 'dict'), ("{'a': 1}", dict(a=1)), ('a word', 'a word'), ('a,b', 'a,b'), ('-3', -3),
    ],
)  # fmt: skip
def test_elsewhere_a_literal_is_read(text, want):
    cfg = Config(dict(model=dict(width=1)))
    assert load_config(cfg, parse(f'model.new={text}')).model.new == want


def test_words_in_brackets_need_quotes_where_a_list_stands():
    cfg = Config(dict(model=dict(texts=['global'])))
    assert load_config(cfg, parse("model.texts=['local']")).model.texts == ['local']
    with pytest.raises(
        ValueError, match=r'model.texts: \[local\] is no Python literal: words need'
    ):
        load_config(cfg, parse('model.texts=[local]'))


@pytest.mark.parametrize('text', ['model', '=3', ' =3'])
def test_what_is_no_override_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        parse(text)
    assert f'--cfg-options takes KEY=VALUE, got {text!r}' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('config', 'key', 'names'),
    [
        (BASE, 'data_root', ['train_dataloader.dataset.data_root', 'val_dataloader.dataset.data']),
        (BASE, 'img_size', ['train_dataloader.dataset.pipeline.3.scale']),
        (BASE, 'data_preprocessor.size_divisor', ['model.data_preprocessor.size_divisor']),
        (BASE, 'max_tokens', ['test_dataloader.dataset.pipeline.4.max_tokens']),
        (MIXED, 'data_root', ['train_dataloader.dataset.datasets.2.data_root']),
        (MINI, 'train_pipeline', ['train_dataloader.dataset.pipeline']),
        (MINI, 'dataset_type', ['no entry has its value']),
    ],
)  # fmt: skip
def test_a_variable_that_is_used_already_is_refused(root, config, key, names):
    with pytest.raises(KeyError, match=f'nothing is built from {key.split(".")[0]!r}') as error:
        load_config(root / config, {key: 1})
    assert all(name in str(error.value) for name in names)


def test_known_entries_may_be_new(root):
    cfg = load_config(root / BASE, parse('find_unused_parameters=true', 'work_dir=/a b'))
    assert cfg.find_unused_parameters is True and cfg.work_dir == '/a b'


def test_a_loose_pipeline_is_refused(root, tmp_path):
    path = tmp_path / 'loose.py'
    path.write_text(
        f"_base_ = {str(root / BASE)!r}\ntrain_pipeline = [dict(type='LoadRefImage')]\n"
    )
    with pytest.raises(
        ValueError, match=r'defines train_pipeline, which no dataset has: write train'
    ):
        load_config(path)
    path.write_text(
        path.read_text() + 'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n'
    )
    assert len(load_config(path).train_dataloader.dataset.pipeline) == 1


def test_every_config_of_this_project_uses_its_pipelines(root):
    """Those that need mmdet or mmpretrain to be read are tested with these, in tests/downstream."""
    for path in (root / 'configs').rglob('*.py'):
        if not {'_base_', 'detection', 'classification'} & set(path.parts):
            load_config(path)
