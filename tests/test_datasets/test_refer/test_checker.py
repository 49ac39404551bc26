# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Each thing that may be wrong with a ref, one at a time; masks against pycocotools."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from refer_folder import Folder, make_ref

from mmseg_remamber.datasets.refer.checker import InvalidRef, RefChecker, check_segmentation

H, W = 12, 16


def check(folder, ref=0, **arguments):
    checker = RefChecker(
        {i['id']: i for i in folder.images}, {a['id']: a for a in folder.annotations}, **arguments
    )
    return [checker(ref) for ref in folder.refs][ref]


def of_ref(**values):
    return lambda folder: folder.refs[0].update(values)


def of_image(**values):
    return lambda folder: folder.images[0].update(values)


def of_annotation(**values):
    return lambda folder: folder.annotations[0].update(values)


def of_sentence(**values):
    return lambda folder: folder.refs[0]['sentences'][0].update(values)


def without(key):
    return lambda folder: folder.refs[0].pop(key)


@pytest.mark.parametrize(
    'change, reason, detail',
    [
        (of_ref(ref_id='1'), 'wrong type', "ref_id must be an int, got '1'"),
        (of_ref(ref_id=True), 'wrong type', 'ref_id must be an int, got True'),
        (of_ref(ref_id=2), 'duplicate ref_id', '2 is that of an earlier ref'),
        (of_ref(ann_id=[1]), 'wrong type', r'ann_id must be an int or a str, got \[1\]'),
        (of_ref(image_id=None), 'wrong type', 'image_id must be an int or a str, got None'),
        (of_ref(image_id=9), 'no image record', 'no image 9 '),
        (of_ref(ann_id=9), 'no annotation', 'no annotation 9 '),
        (of_ref(ann_id=4), 'annotation of another image', 'is on image 2, the ref on 1'),
        (of_ref(split='tets'), 'unknown split', "expected, got 'tets'"),
        (of_ref(split=['train']), 'unknown split', r"expected, got \['train'\]"),
        (without('ref_id'), 'wrong type', 'ref_id must be an int, got None'),
        (without('split'), 'unknown split', 'expected, got None'),
        (without('sentences'), 'wrong type', 'sentences must be dicts, got None'),
        (of_ref(sentences=['a']), 'wrong type', 'sentences must be dicts'),
        (of_ref(sentences=[]), 'empty sentence', r'among \[\]'),
        (of_sentence(sent=' \t'), 'empty sentence', "among .''"),
        (of_sentence(sent=3), 'wrong type', 'sent of sentence 10 is 3'),
        (of_sentence(sent=None), 'wrong type', 'sent of sentence 10 is None'),
        (of_sentence(sent_id='x'), 'wrong type', "sent_id must be an int, got 'x'"),
        (of_sentence(sent_id=11), 'duplicate sent_id', '11 is that of an earlier sentence'),
        (of_sentence(sent_id=20), 'duplicate sent_id', '20 is that of an earlier sentence'),
        (of_image(height=0), 'image size', 'image 1 has size 16x0'),
        (of_image(width=16.0), 'image size', 'image 1 has size 16.0x12'),
        (of_image(file_name=''), 'image file name', "image 1 has file_name ''"),
        (of_image(file_name=7), 'image file name', 'image 1 has file_name 7'),
        (of_annotation(image_id=2), 'annotation of another image', 'on image 2, the ref on 1'),
        (of_annotation(segmentation=None), 'no mask', 'annotation 1 has no mask: None'),
        (of_annotation(segmentation=[]), 'no mask', r'annotation 1 has no mask: \[\]'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, change, reason, detail):
    folder = Folder(tmp_path)
    change(folder)
    with pytest.raises(InvalidRef, match=f'^{reason}: .*{detail}') as caught:
        check(folder)
    assert caught.value.reason == reason


def test_a_record(tmp_path):
    assert check(Folder(tmp_path), sentence_key='raw') == dict(
        ref_id=1, split='train', file_name='1.png', height=12, width=16, ann_id=1,
        segmentation=[[2.5, 2.5, 8.5, 2.5, 8.5, 8.5, 2.5, 8.5]],
        sentences=['Left one', 'one'], sent_ids=[10, 11],
    )  # fmt: skip


def test_an_id_is_taken_only_by_a_ref_that_is_used(tmp_path):
    folder = Folder(tmp_path)
    checker = RefChecker({i['id']: i for i in folder.images}, {1: folder.annotations[0]})
    ref = make_ref(1, 2, 1, ['one'])
    with pytest.raises(InvalidRef, match='no annotation 2'):
        checker(ref)
    assert checker(dict(ref, ann_id=1))['ref_id'] == 1


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
    with pytest.raises(InvalidRef, match=match):
        check_segmentation([*good, polygon], H, W, 'it')


@pytest.mark.parametrize('polygon', [[-1, -1, 17, -1, 17, 13, -1, 13], [0, 0, 16, 0, 16, 12]])
def test_polygons_may_end_a_pixel_beyond_the_border(polygon):
    assert check_segmentation([polygon], H, W, 'it') == [polygon]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.lists(st.floats(0, 12) | st.integers(0, 12), min_size=6, max_size=12).filter(
            lambda polygon: len(polygon) % 2 == 0
        ),
        min_size=1,
        max_size=3,
    )
)
def test_polygons_pass_when_pycocotools_finds_a_pixel(polygons):
    area = coco_mask.area(coco_mask.merge(coco_mask.frPyObjects(polygons, H, W)))
    try:
        assert check_segmentation(polygons, H, W, 'it') == polygons
    except InvalidRef as e:
        reason = e.reason
    else:
        reason = None
    assert (reason == 'empty mask') == (area == 0)


# --- RLE ------------------------------------------------------------------------------------------

MASKS = st.tuples(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False)).map(
    lambda t: np.array(
        [[t[2].random() < 0.2 + 0.6 * (x % 7 > 3) for x in range(t[1])] for _ in range(t[0])],
        np.uint8,
    )
)


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
    assert check_segmentation(segmentation, *mask.shape, 'it') == segmentation
    assert check_segmentation([segmentation], *mask.shape, 'it') == segmentation
    # wide runs take several digits
    wide = np.repeat(mask, 50, axis=0)
    assert check_segmentation(rle(wide), *wide.shape, 'it') == rle(wide)


@settings(max_examples=30, deadline=None)
@given(mask=MASKS, compressed=st.tuples(st.booleans(), st.booleans()))
def test_rles_are_united(mask, compressed):
    assume(mask.any())
    other = np.ascontiguousarray(mask[::-1, ::-1])
    parts = [rle(m, compressed=c) for m, c in zip((mask, other), compressed)]
    united = check_segmentation(parts, *mask.shape, 'it')
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
        check_segmentation(damaged, *mask.shape, 'it')
    except InvalidRef as e:
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
    with pytest.raises(InvalidRef, match=match):
        check_segmentation(segmentation, H, W, 'it')
