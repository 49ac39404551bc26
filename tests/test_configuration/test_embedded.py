# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from mmseg_remamber.configuration import load_config, parse_config

CONFIGS = sorted((Path(__file__).parents[2] / 'configs' / 'remamber').glob('*_8xb8-*480*.py'))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_a_printed_config_reads_as_it_was(path):
    cfg = load_config(path)
    assert parse_config(cfg.pretty_text).to_dict() == cfg.to_dict()


def test_tuples_and_keys_that_are_no_names_stay():
    cfg = parse_config("a = (1, -2.5, None)\nb = dict({'x.y': dict(c=[True, {3: 'z'}])})")
    assert cfg.to_dict() == dict(a=(1, -2.5, None), b={'x.y': dict(c=[True, {3: 'z'}])})


@pytest.mark.parametrize(
    ('text', 'match'),
    [
        ("a = 1\nb = __import__('os').getcwd()", 'more than data at line 2: .*getcwd'),
        ('import os', "more than data at line 1: 'import os'"),
        ('a = dict(b=print(1))', r"more than data at line 1: 'print\(1\)'"),
        ('a = dict(**b)', 'more than data at line 1'),
        ('a = {**b}', 'more than data at line 1'),
        ('a = b = 1', 'more than data at line 1'),
        ('a = (', 'is no Python'),
    ],
)
def test_a_config_is_not_run(text, match):
    with pytest.raises(ValueError, match=match):
        parse_config(text)
