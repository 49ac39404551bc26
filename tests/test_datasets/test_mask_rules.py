# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Which masks are valid, against pycocotools: what is refused, by which reason, and what passes."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmseg_remamber.datasets.masks import InvalidMask, check_mask

H, W = 12, 16

# --- Polygons -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'polygon, match',
    [
        ([1, 1, 5, 5], 'polygon: it: three points or more expected, got 4 numbers'),
        ([1, 1, 5, 5, 1, 5, 2], 'polygon: it: three points or more expected, got 7 numbers'),
        ([], 'got 0 numbers'),
        ([1, 1, 5, '5', 1, 5], 'wrong type: it: a polygon is a list of numbers'),
        ([1, 1, 5, True, 1, 5], 'wrong type'),
        ([1, 1, 5, None, 1, 5], 'wrong type'),
        ([[1, 1], [5, 1], [5, 5]], 'wrong type'),
        ('1 1 5 5 1 5', 'wrong type'),
        (7, 'wrong type'),
        ({}, 'wrong type'),  # beside a polygon
        ([1, 1, 5, math.nan, 1, 5], 'polygon outside the image: it: x 1 to 5'),
        ([math.nan, 1, 5, 1, 1, 5], 'polygon outside the image'),
        ([1, 1, math.inf, 5, 1, 5], 'x 1 to inf, y 1 to 5, the image is 16x12'),
        ([1, 1, 10**400, 5, 1, 5], 'polygon outside the image'),
        ([1, 1, 17.5, 5, 1, 5], r'x 1 to 17\.5'),
        ([1, 1, 5, 13.5, 1, 5], r'y 1 to 13\.5'),
        ([-1.5, 1, 5, 5, 1, 5], r'x -1\.5 to 5'),
        ([1, -1.5, 5, 5, 1, 5], r'y -1\.5 to 5'),
        ([3.0] * 6, 'empty mask: it covers no pixel'),
        ([1, 1, 9, 9, 4, 4], 'empty mask'),
    ],
)
def test_polygons_refused(polygon, match):
    good = [[1, 1, 6, 1, 6, 6]] if 'empty' not in match else []
    with pytest.raises(InvalidMask, match=match):
        check_mask([*good, polygon], H, W, 'it')


@pytest.mark.parametrize('polygon', [[-1, -1, 17, -1, 17, 13, -1, 13], [0, 0, 16, 0, 16, 12]])
def test_polygons_may_end_a_pixel_beyond_the_border(polygon):
    assert check_mask([polygon], H, W, 'it') == [polygon]


COORDINATES = st.floats(0, 12) | st.integers(0, 12)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=6),
        min_size=1,
        max_size=3,
    )
)
def test_polygons_pass_when_pycocotools_finds_a_pixel(points):
    polygons = [[value for point in outline for value in point] for outline in points]
    area = coco_mask.area(coco_mask.merge(coco_mask.frPyObjects(polygons, H, W)))
    try:
        assert check_mask(polygons, H, W, 'it') == polygons
    except InvalidMask as e:
        reason = e.reason
    else:
        reason = None
    assert (reason == 'empty mask') == (area == 0)


# --- RLE ------------------------------------------------------------------------------------------


def random_mask(height, width, seed):
    """Denser in some columns than in others, so that runs are short and long."""
    density = 0.2 + 0.6 * (np.arange(width) % 7 > 3)
    return (np.random.default_rng(seed).random((height, width)) < density).astype(np.uint8)


MASKS = st.builds(random_mask, st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))


def rle(mask, *, compressed=True):
    height, width = mask.shape
    if compressed:
        counts = coco_mask.encode(np.asfortranarray(mask))['counts'].decode()
    else:
        flat = np.concatenate([[0], mask.ravel(order='F'), [2]])
        edges = np.flatnonzero(np.diff(flat))
        counts = np.diff(np.concatenate([[0], edges])).tolist()
    return dict(size=[height, width], counts=counts)


@settings(max_examples=100, deadline=None)
@given(mask=MASKS, compressed=st.booleans())
def test_rle_passes_as_it_is(mask, compressed):
    assume(mask.any())
    segmentation = rle(mask, compressed=compressed)
    assert check_mask(segmentation, *mask.shape, 'it') == segmentation
    assert check_mask([segmentation], *mask.shape, 'it') == segmentation
    # wide runs take several digits
    wide = np.repeat(mask, 50, axis=0)
    assert check_mask(rle(wide), *wide.shape, 'it') == rle(wide)


@settings(max_examples=30, deadline=None)
@given(mask=MASKS, compressed=st.tuples(st.booleans(), st.booleans()))
def test_rles_are_united(mask, compressed):
    assume(mask.any())
    other = np.ascontiguousarray(mask[::-1, ::-1])
    parts = [rle(m, compressed=c) for m, c in zip((mask, other), compressed)]
    united = check_mask(parts, *mask.shape, 'it')
    assert np.array_equal(coco_mask.decode(united), mask | other)


@settings(max_examples=200, deadline=None)
@given(mask=MASKS, data=st.data())
def test_damaged_counts_are_refused_or_fill_the_image(mask, data):
    """What passes decodes to a mask of the image's size, never beyond it."""
    counts = list(rle(mask)['counts'])
    position = data.draw(st.integers(0, len(counts) - 1))
    change = data.draw(st.text(min_size=0, max_size=3) | st.text('0OPo_1', max_size=3))
    counts[position : position + 1] = change
    damaged = dict(size=list(mask.shape), counts=''.join(counts))
    try:
        check_mask(damaged, *mask.shape, 'it')
    except InvalidMask as e:
        reason = e.reason
    else:
        decoded = coco_mask.decode(damaged)
        assert decoded.shape == mask.shape
        assert 0 < coco_mask.area(damaged) == decoded.sum() == decoded.astype(bool).sum()
        return
    assert reason in ('RLE', 'empty mask')


GOOD = rle(np.eye(H, W, dtype=np.uint8))


@pytest.mark.parametrize(
    'segmentation, match',
    [
        (dict(GOOD, size=[W, H]), r'RLE of another size: it: \[16, 12\], the image \[12, 16\]'),
        (dict(counts=GOOD['counts']), 'RLE of another size: it: None'),
        (dict(GOOD, counts=None), 'wrong type: it: RLE counts are None'),
        (dict(GOOD, counts=[1, '2']), 'wrong type: it: RLE counts are'),
        (dict(GOOD, counts=[100, 92, 1]), 'RLE: it: counts do not fill 12x16 pixels'),
        (dict(GOOD, counts=[-10, 202]), 'RLE: it'),
        (dict(GOOD, counts=[10**30, 10]), 'RLE: it'),
        (dict(GOOD, counts=[192]), 'empty mask: it covers no pixel'),
        (dict(GOOD, counts=''), 'RLE: it'),
        (dict(GOOD, counts='é'), 'RLE: it'),
        (dict(GOOD, counts=' '), 'RLE: it'),
        (dict(GOOD, counts='ooo'), 'RLE: it'),  # says that more follows
        (dict(GOOD, counts='o' * 12 + '1'), 'RLE: it'),
        (dict(GOOD, counts=GOOD['counts'][:-1]), 'RLE: it'),
        ([GOOD, dict(GOOD, size=[1, 1])], 'RLE of another size'),
        ([GOOD, [1, 1, 6, 1, 6, 6]], 'wrong type: it: a polygon'),
        ('text', 'no mask'),
    ],
)  # fmt: skip
def test_rle_refused(segmentation, match):
    with pytest.raises(InvalidMask, match=match):
        check_mask(segmentation, H, W, 'it')
