# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from PIL import Image

from mmseg_remamber.visualization import Prediction
from mmseg_remamber.visualization.comparison import draw_comparison


def prediction(text, hw=(30, 40)):
    mask = np.zeros(hw, bool)
    mask[:10] = True
    return Prediction(np.full((*hw, 3), 90, np.uint8), text, mask, ~mask)


def test_a_row_for_each_sample_and_a_column_for_each_model(tmp_path):
    items = [prediction('costs $5 and $6 ' * 9), prediction('b', (60, 20))]
    draw_comparison(dict(one=items, two=items), tmp_path / 'a.png')
    draw_comparison(dict(one=items[:1]), tmp_path / 'b.png')
    with Image.open(tmp_path / 'a.png') as large, Image.open(tmp_path / 'b.png') as small:
        assert large.width / small.width == pytest.approx(4 / 3, rel=0.01)
        assert large.height > 1.5 * small.height


def test_other_samples_are_refused(tmp_path):
    with pytest.raises(ValueError, match="same samples, but 'two' has others"):
        draw_comparison(dict(one=[prediction('a')], two=[prediction('b')]), tmp_path / 'a.png')
    with pytest.raises(ValueError, match='nothing to show'):
        draw_comparison({}, tmp_path / 'a.png')
