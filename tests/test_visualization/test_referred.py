# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import itertools
import warnings

import numpy as np
import pytest

from mmseg_remamber.visualization import draw_caption, draw_errors, draw_masks, palette

# Machado, Oliveira and Fernandes (2009), Table 1, severity 1.0: what linear RGB becomes
DEFICIENCIES = dict(
    protanopia=[[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998]],
    deuteranopia=[[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                  [-0.011820, 0.042940, 0.968881]],
    tritanopia=[[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900]],
)  # fmt: skip


def as_lab(colours, matrix):
    """CIE L*a*b* of sRGB colours, (N, 3) in [0, 255], seen through a matrix on linear RGB."""
    unit = np.asarray(colours) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.asarray(matrix).T, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ np.asarray(to_xyz).T / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f.T
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=1)


@pytest.mark.parametrize('vision', ['normal', *DEFICIENCIES])
def test_colours_are_told_apart_with_any_vision(vision):
    """A difference of 2.3 is just seen; a large one lies beyond 10."""
    matrix = DEFICIENCIES.get(vision, np.eye(3))
    parts = [palette.FOUND_COLOUR, palette.MISSED_COLOUR, palette.WRONG_COLOUR]
    for colours, least in ((parts, 20), (palette.MASK_COLOURS, 10)):
        lab = as_lab(colours, matrix)
        differences = [np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)]
        assert min(differences) > least, differences


def scene(height, width):
    """Image and two overlapping masks."""
    y, x = np.mgrid[:height, :width]
    image = np.stack((x * 200 // width, y * 200 // height, 0 * x + 90), axis=2).astype(np.uint8)
    return image, x < 2 * width / 3, x >= width // 3


def count(picture, colour):
    return int((np.abs(picture.astype(int) - colour).sum(axis=2) < 6).sum())


@pytest.mark.parametrize('hw', [(1, 1), (1, 90), (37, 50), (480, 640), (40, 3000), (3000, 2000)])
def test_any_size_is_drawn_legibly(hw):
    image, first, second = scene(*hw)
    for drawn in (
        draw_masks(image, [first, second], ['the left one', 'the right one']),
        draw_errors(image, first, second, 'the left one'),
        draw_caption(image, 'the left one'),
    ):
        assert drawn.dtype == np.uint8 and drawn.shape[2] == 3
        assert 480 <= drawn.shape[1] <= 1600
        below = drawn[-60:]  # the last line of text: dark ink on white
        assert (below.max(axis=2) < 90).any() and (below.min(axis=2) == 255).mean() > 0.3


def test_a_mask_of_one_pixel_is_seen_in_a_large_picture():
    mask = np.zeros((3000, 4000), bool)
    mask[1234, 2345] = True
    image = np.full((3000, 4000, 3), 128, np.uint8)
    without = draw_masks(image, [np.zeros_like(mask)], ['a'])
    drawn = draw_masks(image, [mask], ['a'])
    colour = palette.MASK_COLOURS[0]
    assert count(drawn, colour) > count(without, colour) + 10


def test_objects_keep_their_colours_and_the_rest_is_grey():
    image = np.full((480, 480, 3), (10, 200, 30), np.uint8)
    mask = np.zeros((480, 480), bool)
    mask[100:200, 100:200] = True
    drawn = draw_masks(image, [mask], ['green'])
    assert (drawn[150, 150] == (10, 200, 30)).all()
    assert len(set(drawn[300, 300].tolist())) == 1
    assert count(drawn[:480], palette.MASK_COLOURS[0]) > 300  # the outline


def test_errors_have_their_colours():
    truth, found = np.zeros((2, 480, 480), bool)
    truth[:200], found[100:300] = True, True
    drawn = draw_errors(np.full((480, 480, 3), 255, np.uint8), truth, found, 'x')
    for y, colour in ((50, 'MISSED'), (150, 'FOUND'), (250, 'WRONG')):
        want = 0.35 * 254 + 0.65 * np.asarray(getattr(palette, f'{colour}_COLOUR'))
        assert np.abs(drawn[y, 240] - want).max() < 2
    assert len(set(drawn[400, 240].tolist())) == 1


@pytest.mark.parametrize(
    'text',
    ['w' * 5000, 'very ' * 1000, '左边的红色圆圈' * 9, '🔴🦀', 'العربية', '$x^{ % _', 'a\nb', ''],
)
def test_any_sentence_is_drawn_without_a_missing_glyph(text):
    image, first, _ = scene(60, 80)
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # matplotlib warns of a glyph that it draws as a box
        drawn = draw_masks(image, [first], [text])
    assert drawn.shape[0] < 600  # a long one is cut


def test_masks_in_one_place_are_numbered_side_by_side():
    image, first, _ = scene(480, 480)
    one = draw_masks(image, [first, ~first], ['a', 'b'])
    same = draw_masks(image, [first, first], ['a', 'b'])
    for drawn in (one, same):
        for colour in palette.MASK_COLOURS[:2]:
            assert count(drawn[:480], colour) > 200


def test_wrong_sizes():
    image, first, _ = scene(4, 5)
    with pytest.raises(ValueError, match=r'mask is \(5, 4\), the image \(4, 5\)'):
        draw_masks(image, [first.T], ['x'])
    with pytest.raises(ValueError, match='1 masks have 2 captions'):
        draw_masks(image, [first], ['x', 'y'])
    with pytest.raises(ValueError, match=r'mask is \(5, 4\)'):
        draw_errors(image, first, first.T, 'x')
