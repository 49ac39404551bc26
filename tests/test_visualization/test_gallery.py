# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import mmcv
import numpy as np
import pytest

from mmseg_remamber.visualization import Prediction
from mmseg_remamber.visualization.gallery import draw_gallery


def prediction(text='the cat', hw=(40, 60)):
    truth = np.zeros(hw, dtype=bool)
    truth[:20] = True
    guess = np.zeros(hw, dtype=bool)
    guess[10:30] = True
    image = np.full((*hw, 3), 200, dtype=np.uint8)
    return Prediction(image=image, text=text, truth=truth, prediction=guess)


def height(path):
    return mmcv.imread(path).shape[0]


def test_gallery_shows_every_prediction(tmp_path):
    long = 'the person with the very long description ' * 6
    four = [prediction(), prediction(long, (90, 30))] * 2
    draw_gallery({'': four}, tmp_path / 'a.png', columns=2)
    two_rows = mmcv.imread(tmp_path / 'a.png')
    draw_gallery({'': [prediction()]}, tmp_path / 'b.png', columns=2)
    one_row = mmcv.imread(tmp_path / 'b.png')
    assert two_rows.shape[1] == one_row.shape[1]
    assert two_rows.shape[0] > one_row.shape[0]
    with pytest.raises(ValueError, match='nothing to show'):
        draw_gallery({'all': []}, tmp_path / 'c.png')


def test_each_group_begins_a_row_under_its_name(tmp_path):
    one, two = [prediction()], [prediction(), prediction()]
    groups = {'two': two, 'one $5': one, 'none': []}
    draw_gallery(groups, tmp_path / 'groups.png', columns=2)
    draw_gallery({'three': one + two}, tmp_path / 'rows.png', columns=2)
    assert height(tmp_path / 'groups.png') > height(tmp_path / 'rows.png')
    draw_gallery({'two': two, 'one $5': one}, tmp_path / 'without.png', columns=2)
    assert height(tmp_path / 'groups.png') == height(tmp_path / 'without.png')
