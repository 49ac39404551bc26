# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Configs that the documentation shows: each is read where its base is found."""

import re
import shutil
from pathlib import Path

import pytest

from mmseg_remamber.configuration import load_config

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r'^```python\n(.*?)^```', flags=re.DOTALL | re.MULTILINE)
BASE = re.compile(r'^_base_ = \[?[\'"](.+?)[\'"]', flags=re.MULTILINE)


def documented() -> list:
    """One parameter for each Python block of README.md and docs/ that inherits from a config."""
    return [
        pytest.param(block, id=f'{page.name}-{number}')
        for page in [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding='utf-8')))
        if BASE.search(block)
    ]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a block as a file in the repository's folder, or beside the config that it names."""
    shutil.copytree(ROOT / 'configs', tmp_path / 'configs')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def load(block):
        in_root = BASE.search(block)[1].startswith('./configs/')
        path = tmp_path / ('' if in_root else 'configs/remamber') / 'mine.py'
        path.write_text(block.replace(", 'gate_fusion'", ''), encoding='utf-8')
        return load_config(path)

    return load


@pytest.mark.parametrize('block', documented())
def test_documented_config_is_read(block, read):
    assert read(block).model.type == 'ReferringSegmentor'


def test_several_pages_show_configs():
    assert len(documented()) >= 5


def test_the_documented_augmentation_reaches_the_dataset(read):
    page = (ROOT / 'docs' / 'augmentation.md').read_text(encoding='utf-8')
    (block,) = BLOCK.findall(page)
    steps = [step.type for step in read(block).train_dataloader.dataset.pipeline]
    assert steps == re.findall(r"dict\(type='(\w+)'", block)
    assert 'RandomRefFlip' in steps


def test_the_documented_photograph_is_here_with_its_terms():
    pictures = (ROOT / 'docs' / 'images' / 'README.md').read_text(encoding='utf-8')
    for name in ('coffee.jpg', 'photograph.jpg'):
        assert (ROOT / 'docs' / 'images' / name).stat().st_size < 100_000
        assert f'| `{name}` |' in pictures
