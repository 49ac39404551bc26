# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from mmseg_remamber.visualization import greyed, overlay, paint_errors, palette
from mmseg_remamber.visualization.painting import outline, split_errors, tint

TRUTH, GUESS = np.array([[[1, 1, 0, 0]], [[1, 0, 1, 0]]], bool)
COLOURS = [palette.FOUND_COLOUR, palette.MISSED_COLOUR, palette.WRONG_COLOUR]


def test_overlay_tints_the_mask_alone():
    image, mask = np.full((40, 60, 3), 200, np.uint8), np.zeros((40, 60), bool)
    mask[:20] = True
    got = overlay(image, mask, (0, 100, 0), opacity=0.5)
    assert (got[mask] == (100, 150, 100)).all()
    assert (got[~mask] == 200).all()
    with pytest.raises(ValueError, match=r'mask is \(2, 2\), the image \(40, 60\)'):
        overlay(image, np.zeros((2, 2), dtype=bool), (0, 0, 0))


def test_colours_of_errors():
    image = np.full((1, 4, 3), 90, np.uint8)
    got = paint_errors(image, TRUTH, GUESS, opacity=1.0)
    assert [tuple(colour) for colour in got[0]] == [*COLOURS, (90, 90, 90)]
    with pytest.raises(ValueError, match=r'mask is \(4, 1\), the image \(1, 4\)'):
        paint_errors(image, TRUTH, GUESS.T)


def test_each_pixel_is_one_kind_of_error():
    parts = split_errors(TRUTH, GUESS)
    assert [name for name, *_ in parts] == ['found', 'missed', 'not meant']
    assert [colour for *_, colour in parts] == COLOURS
    assert np.sum([area for _, area, _ in parts], axis=0).tolist() == [[1, 1, 1, 0]]


@pytest.mark.parametrize('contrast, black', [(1.0, 0), (0.5, 128), (0.0, 255)])
def test_grey_is_as_light_as_the_colours_and_paler_with_less_contrast(contrast, black):
    image = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0]]], np.uint8)
    got = greyed(image, contrast=contrast)[0]
    assert (got == got[:, :1]).all()
    assert got[0, 0] == black and got[1, 0] == 255
    luma = np.array([0.299, 0.587]) * 255  # of red and green in Rec. 601
    assert got[2:, 0] == pytest.approx(255 - contrast * (255 - luma), abs=1)


def test_arguments_stay_as_they_are():
    image, mask = np.full((9, 9, 3), 90, np.uint8), np.eye(9, dtype=bool)
    for painted in (
        greyed(image, contrast=0.5),
        tint(image, mask, palette.BLUE),
        outline(image, mask, palette.BLUE),
        paint_errors(image, mask, ~mask),
    ):
        assert (painted != 90).any()
        assert (image == 90).all() and (mask == np.eye(9, dtype=bool)).all()
