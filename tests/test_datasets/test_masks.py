# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks of one object, of several and of none, against pycocotools and OpenCV."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from mmseg_remamber.datasets.masks import InvalidMask, check_mask, decode_mask, unite_masks
from mmseg_remamber.datasets.transforms import LoadRefMask

HEIGHT, WIDTH = 21, 34
TRIANGLE = [2.0, 3.0, 12.5, 3.5, 8.0, 15.0]
RECTANGLE = [20.0, 5.0, 30.0, 5.0, 30.0, 18.0, 20.0, 18.0]
POLYGONS = [TRIANGLE, RECTANGLE]
MASKS = st.tuples(st.integers(1, 15), st.integers(1, 15), st.integers(0, 2**32 - 1))


def load(segmentation=None, **entry):
    """As LoadRefMask decodes it; of one object unless ``segmentations`` are given."""
    if 'segmentations' not in entry:
        entry['segmentation'] = segmentation
    return LoadRefMask()(dict(height=HEIGHT, width=WIDTH, ref_id=1, ann_id=7, **entry))


def random_mask(height, width, seed):
    rng = np.random.default_rng(seed)
    return (rng.random((height, width)) < rng.choice([0, 0.1, 0.5, 1])).astype(np.uint8)


def encode(mask, form='str'):
    """RLE with counts as bytes, str or list."""
    rle = coco_mask.encode(np.asfortranarray(mask))
    if form == 'str':
        rle['counts'] = rle['counts'].decode()
    elif form == 'list':
        runs = np.flatnonzero(np.diff(mask.ravel(order='F'), prepend=0, append=2))
        rle['counts'] = np.diff(runs, prepend=0).tolist()
    return rle


def by_pycocotools(segmentation, height=HEIGHT, width=WIDTH):
    """COCO's own way from an annotation to its mask."""
    coco = COCO()
    coco.imgs = {0: dict(height=height, width=width)}
    return coco.annToMask(dict(image_id=0, segmentation=segmentation))


def test_one_object():
    found = load(POLYGONS)
    mask = found['gt_seg_map']
    assert mask.dtype == np.uint8 and mask.shape == (HEIGHT, WIDTH)
    assert np.array_equal(mask, by_pycocotools(POLYGONS))
    assert found['seg_fields'] == ['gt_seg_map'] and found['no_target'] is False


def test_polygons_cover_what_opencv_fills():
    mask = load(POLYGONS)['gt_seg_map']
    filled = np.zeros((HEIGHT, WIDTH), np.uint8)
    for polygon in POLYGONS:
        points = (np.reshape(polygon, (-1, 2)) - 0.5).round().astype(np.int32)
        filled |= cv2.fillPoly(np.zeros_like(filled), [points], 1)
    # OpenCV fills the boundary too, so compare where it does not matter
    inner, outer = cv2.erode(filled, np.ones((3, 3))), cv2.dilate(filled, np.ones((3, 3)))
    assert inner.any() and (mask >= inner).all() and (mask <= outer).all()


def test_overlapping_polygons_are_united():
    square = [2.0, 2.0, 10.0, 2.0, 10.0, 10.0, 2.0, 10.0]
    mask = load([square, square])['gt_seg_map']
    assert mask.sum() == 64 and mask.max() == 1


@settings(max_examples=100, deadline=None)
@given(
    polygons=st.lists(
        st.lists(
            st.tuples(st.floats(-1, WIDTH + 1), st.floats(-1, HEIGHT + 1)), min_size=3, max_size=8
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_polygons_as_pycocotools_has_them(polygons):
    segmentation = [[value for point in polygon for value in point] for polygon in polygons]
    expected = by_pycocotools(segmentation)
    assert np.array_equal(decode_mask(segmentation, HEIGHT, WIDTH), expected)


@settings(max_examples=100, deadline=None)
@given(mask=MASKS, form=st.sampled_from(['bytes', 'str', 'list']), in_list=st.booleans())
def test_any_mask_survives_run_lengths(mask, form, in_list):
    """RefCLEF keeps its RLE in a list of one."""
    truth = random_mask(*mask)
    rle = encode(truth, form)
    found = decode_mask([rle] if in_list else rle, *truth.shape)
    assert np.array_equal(found, truth)


@settings(max_examples=60, deadline=None)
@given(seeds=st.lists(st.integers(0, 999), max_size=4))
def test_several_objects_are_united(seeds):
    masks = [random_mask(9, 13, seed) for seed in seeds]
    expected = np.any([np.zeros((9, 13)), *masks], axis=0)
    found = unite_masks([encode(mask) for mask in masks], 9, 13)
    assert found.dtype == np.uint8 and np.array_equal(found, expected)


def test_several_objects_of_several_kinds():
    rle = encode(by_pycocotools([RECTANGLE]), 'list')
    found = load(segmentations=[[TRIANGLE], [rle]])
    assert np.array_equal(found['gt_seg_map'], by_pycocotools(POLYGONS))
    assert found['no_target'] is False


def test_no_target():
    found = load(segmentations=[])
    assert found['no_target'] is True
    assert found['gt_seg_map'].shape == (HEIGHT, WIDTH) and not found['gt_seg_map'].any()


@pytest.mark.parametrize('entry', [{}, dict(segmentation=POLYGONS, segmentations=[POLYGONS])])
def test_not_one_source_of_the_mask(entry):
    with pytest.raises(KeyError, match='needs segmentation or segmentations, got'):
        LoadRefMask()(dict(height=HEIGHT, width=WIDTH, **entry))


def test_every_real_mask(realdata):
    """All of RefCOCO mini, polygon by polygon, against COCO's own decoding."""
    number = 0
    for name in ('refcoco', 'refcoco+', 'refcocog'):
        path = realdata / 'refcoco_mini' / name / 'instances.json'
        instances = json.loads(path.read_text())
        sizes = {i['id']: (i['height'], i['width']) for i in instances['images']}
        for annotation in instances['annotations']:
            height, width = sizes[annotation['image_id']]
            entry = dict(height=height, width=width, segmentation=annotation['segmentation'])
            expected = by_pycocotools(annotation['segmentation'], height, width)
            assert np.array_equal(LoadRefMask()(entry)['gt_seg_map'], expected)
            number += 1
    assert number >= 20


# --- damage ---------------------------------------------------------------------------------------

SQUARE = np.zeros((HEIGHT, WIDTH), np.uint8)
SQUARE[3:9, 4:20] = 1


@pytest.mark.parametrize(
    ('segmentation', 'reason', 'detail'),
    [
        ([], 'no mask', r' has no mask: \[\]'),
        (None, 'no mask', ' has no mask: None'),
        ([1.0, 2.0, 3.0], 'wrong type', r': a polygon is a list of numbers, 1\.0'),
        ([[1.0, 2.0, '3', 4.0, 5.0, 6.0]], 'wrong type', ': a polygon is a list of numbers'),
        ([[1.0, 2.0, 3.0, 4.0]], 'polygon', ': three points or more expected, got 4 numbers'),
        ([TRIANGLE, [1.0] * 7], 'polygon', ': three points or more expected, got 7 numbers'),
        ([[1.0, 2.0, float('nan'), 4.0, 5.0, 6.0]], 'polygon outside the image', '.* is 34x21'),
        ([[1.0, 2.0, 1e9, 4.0, 5.0, 6.0]], 'polygon outside the image', '.* is 34x21'),
        ([[40.0, 2.0, 50.0, 2.0, 45.0, 9.0]], 'polygon outside the image', ': x 40.0 to 50.0'),
        ([[3.0] * 6], 'empty mask', ' covers no pixel'),
        (encode(np.zeros((HEIGHT, WIDTH), np.uint8)), 'empty mask', ' covers no pixel'),
        (encode(SQUARE.T), 'RLE of another size', r': \[34, 21\], the image \[21, 34\]'),
        (dict(counts=[3]), 'RLE of another size', ': None'),
        (dict(size=[HEIGHT, WIDTH]), 'wrong type', ': RLE counts are None'),
        (dict(size=[HEIGHT, WIDTH], counts=[3, 4]), 'RLE', ': .*fill 21x34.*, their sum is 7'),
        (dict(size=[HEIGHT, WIDTH], counts=[-3, 717]), 'RLE', ': counts do not fill 21x34'),
        (dict(size=[HEIGHT, WIDTH], counts=[0.5, 713.5]), 'wrong type', ': RLE counts are'),
        (dict(size=[HEIGHT, WIDTH], counts='a b'), 'RLE', ": RLE counts have the character ' '"),
        (dict(size=[HEIGHT, WIDTH], counts='o'), 'RLE', ': RLE counts end within a number'),
    ],
)
def test_damaged_masks_are_named_alike_by_loader_and_transform(segmentation, reason, detail):
    match = f'^{reason}: ref 1, annotation 7{detail}'
    with pytest.raises(InvalidMask, match=match) as caught:
        load(segmentation)
    assert caught.value.reason == reason
    with pytest.raises(InvalidMask, match=match):
        check_mask(segmentation, HEIGHT, WIDTH, 'ref 1, annotation 7')
    with pytest.raises(InvalidMask, match=match):  # beside an object that is whole
        load(segmentations=[POLYGONS, segmentation])


def test_an_entry_without_ids_is_said_to_have_none():
    with pytest.raises(InvalidMask, match=r'^no mask: an entry without ids has no mask: None'):
        LoadRefMask()(dict(height=HEIGHT, width=WIDTH, segmentation=None))


POINT = st.tuples(st.floats(-3, WIDTH + 3), st.floats(-3, HEIGHT + 3))


@settings(max_examples=200, deadline=None)
@given(points=st.lists(POINT, min_size=2, max_size=5), form=st.sampled_from(['list', 'tuple']))
def test_what_one_takes_the_other_takes(points, form):
    """Polygons within and beyond the image, too short, of a wrong type."""
    polygon = [value for point in points for value in point]
    segmentation = [polygon if form == 'list' else tuple(polygon)]
    try:
        check_mask(segmentation, HEIGHT, WIDTH, 'ref 1, annotation 7')
    except InvalidMask as e:
        with pytest.raises(InvalidMask) as caught:
            load(segmentation)
        assert str(caught.value) == str(e)  # noqa: PT017  either outcome is right
    else:
        assert load(segmentation)['gt_seg_map'].any()


@settings(max_examples=300, deadline=None)
@given(mask=MASKS, cut=st.integers(0, 40), seed=st.integers(0, 99), form=st.booleans())
def test_damaged_run_lengths_are_refused_or_still_a_mask(mask, cut, seed, form):
    """Cut or changed anywhere: never a mask that the runs do not say."""
    truth = random_mask(*mask)
    rle = encode(truth, 'list' if form else 'bytes')
    counts, rng = list(rle['counts']), np.random.default_rng(seed)
    if cut % 2:
        counts = counts[: cut // 2]
    else:
        counts[rng.integers(len(counts))] = int(rng.integers(48, 112))
    rle['counts'] = counts if form else bytes(counts)
    try:
        found = decode_mask(rle, *truth.shape)
    except ValueError:
        return
    # as many pixels as the runs of ones: pycocotools' area adds those up without decoding
    compressed = coco_mask.frPyObjects(rle, *truth.shape) if form else rle
    assert found.shape == truth.shape and found.sum() == coco_mask.area(compressed)
