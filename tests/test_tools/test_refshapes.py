# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The command that writes RefShapes; what it writes is tested in test_datasets/."""

import pytest

from mmseg_remamber.datasets import RefCOCODataset

TOOL = 'tools/dataset_converters/refshapes.py'


def test_writes_what_the_dataset_reads(script, tmp_path, capsys):
    script(TOOL, tmp_path, '--seed=1', '--size=64', '--train=3', '--val=2', '--test=0', '--testC=1')
    assert capsys.readouterr().out.startswith('train 3 scenes, ')
    for split, scenes in (('train', 3), ('val', 2), ('testC', 1)):
        dataset = RefCOCODataset(str(tmp_path), 'refshapes', 'synthetic', split, 'images')
        assert len({dataset[i]['img_path'] for i in range(len(dataset))}) == scenes
        assert dataset[0]['height'] == 64


def test_says_what_is_wrong(script, tmp_path):
    with pytest.raises(SystemExit, match='must not be negative'):
        script(TOOL, tmp_path, '--train=-1')
