# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Augmentation: image, mask and sentence stay true of each other."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmseg.registry import TRANSFORMS

from mmseg_remamber.datasets.transforms import RandomRefFlip, RefLargeScaleJitter

HEIGHT, WIDTH = 24, 36


def scene(text='the man', box=(4, 6, 10, 12), size=(HEIGHT, WIDTH)):
    """A noisy image with an object: a red box, whose mask is the red pixels."""
    image = np.random.default_rng(0).integers(0, 60, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, np.uint8)
    if box is not None:
        top, left, bottom, right = box
        image[top:bottom, left:right] = (0, 0, 255)
        mask[top:bottom, left:right] = 1
    return dict(img=image, gt_seg_map=mask, text=text, seg_fields=['gt_seg_map'])


def red(image):
    return (image[..., 2] > 150) & (image[..., 1] < 100)


# --- flip -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'swapped'), [('Leftmost man', 'Rightmost man'), ('the man', 'the man')]
)
def test_flip_mirrors_all_three(text, swapped):
    before = scene(text)
    found = RandomRefFlip(prob=1.0)(scene(text))
    assert found['flip'] is True and found['text'] == swapped
    assert np.array_equal(found['img'], before['img'][:, ::-1])
    assert np.array_equal(found['gt_seg_map'], before['gt_seg_map'][:, ::-1])
    assert np.array_equal(red(found['img']), found['gt_seg_map'] > 0)
    assert found['img'].flags.c_contiguous and found['gt_seg_map'].flags.c_contiguous


@pytest.mark.parametrize(
    ('text', 'option'),
    [('right behind the man', 'swap'), ('rt man', 'swap'), ('left man', 'refuse')],
)
def test_flip_is_refused(text, option):
    before = scene(text)
    found = RandomRefFlip(prob=1.0, on_side_words=option)(scene(text))
    assert found['flip'] is False and found['text'] == text
    assert np.array_equal(found['img'], before['img'])
    assert np.array_equal(found['gt_seg_map'], before['gt_seg_map'])


def test_refusing_still_flips_other_sentences():
    assert RandomRefFlip(prob=1.0, on_side_words='refuse')(scene('the man'))['flip'] is True


def test_flip_is_drawn():
    np.random.seed(0)  # noqa: NPY002
    flips = [RandomRefFlip(prob=0.3)(scene())['flip'] for _ in range(200)]
    assert 40 < sum(flips) < 80
    assert not any(RandomRefFlip(prob=0.0)(scene())['flip'] for _ in range(20))


def test_side_stays_where_the_sentence_says():
    """Of two men, the one that is named is on that side before and after."""
    np.random.seed(1)  # noqa: NPY002
    sides = set()
    for _ in range(20):
        found = RandomRefFlip()(scene('left man', box=(4, 2, 10, 8)))
        columns = np.flatnonzero(found['gt_seg_map'].any(0))
        side = 'left' if columns.mean() < WIDTH / 2 else 'right'
        assert found['text'] == f'{side} man'
        sides.add(side)
    assert sides == {'left', 'right'}


@pytest.mark.parametrize('key', ['img', 'gt_seg_map', 'text'])
@pytest.mark.parametrize('step', [RandomRefFlip(), RefLargeScaleJitter((8, 8))])
def test_order_of_steps(step, key):
    results = scene()
    del results[key]
    with pytest.raises(KeyError, match=f'must stand after .*ChooseSentence.*{key}'):
        step(results)


def test_flip_after_the_tokens():
    with pytest.raises(ValueError, match='must stand before TokenizeText'):
        RandomRefFlip()(scene() | dict(token_ids=[1]))


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(prob=1.5), r'prob must be in \[0, 1\], got 1.5'),
        (dict(on_side_words='keep'), r"one of \('swap', 'refuse'\), got 'keep'"),
    ],
)
def test_bad_flip(options, match):
    with pytest.raises(ValueError, match=match):
        RandomRefFlip(**options)


# --- large-scale jitter ---------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(4, 40), st.integers(4, 40)),
    scale=st.tuples(st.integers(8, 40), st.integers(8, 40)),
    share=st.sampled_from([0.1, 0.5, 1.0]),
    text=st.sampled_from(['the man', 'left man']),
)
def test_object_is_kept(seed, size, scale, share, text):
    """Whatever the sizes: the frame has its size, and of the resized mask enough is inside."""
    rng = np.random.default_rng(seed)
    top, left = (int(rng.integers(side)) for side in size)
    box = top, left, int(rng.integers(top, size[0])) + 1, int(rng.integers(left, size[1])) + 1
    results = scene(text, box, size)
    np.random.seed(seed)  # noqa: NPY002
    found = RefLargeScaleJitter(scale, (0.1, 3.0), min_object_share=share)(dict(results))
    mask = found['gt_seg_map']
    assert found['img'].shape == (*scale[::-1], 3) and mask.shape == scale[::-1]
    assert found['img_shape'] == scale[::-1] and mask.dtype == found['img'].dtype == np.uint8
    width, height = (round(f * s) for f, s in zip(found['scale_factor'], size[::-1], strict=True))
    whole = TRANSFORMS.build(
        dict(type='Resize', scale=(width, height), keep_ratio=False, backend='pillow')
    )(dict(results))['gt_seg_map']
    assert mask.sum() >= share * whole.sum()
    if text == 'left man':
        assert width <= scale[0] and height <= scale[1]


def test_mask_stays_on_the_object():
    np.random.seed(0)  # noqa: NPY002
    step = RefLargeScaleJitter((64, 64))
    sizes = set()
    for _ in range(60):
        found = step(scene(box=(20, 30, 50, 70), size=(90, 120)))
        mask, object_ = found['gt_seg_map'] > 0, red(found['img'])
        assert (mask & object_).sum() > 0.8 * (mask | object_).sum()  # the rim is blended
        sizes.add(int(mask.sum()))
    assert len(sizes) > 30 and max(sizes) > 20 * min(sizes)


def test_windows_are_drawn_evenly():
    """A point object in an image twice the frame: it may lie anywhere in the frame."""
    np.random.seed(0)  # noqa: NPY002
    step = RefLargeScaleJitter((8, 8), (2.0, 2.0))
    counts = np.zeros((8, 8), int)
    for _ in range(2000):
        mask = step(scene(box=(8, 8, 9, 9), size=(16, 16)))['gt_seg_map']
        assert mask.sum() == 1
        counts += mask
    assert counts.min() > 10 and counts.max() < 60  # 31 each


def test_large_object_falls_back_to_the_whole_image():
    found = RefLargeScaleJitter((20, 20), (4.0, 4.0), min_object_share=0.9)(
        scene(box=(0, 0, 20, 20), size=(20, 20))
    )
    assert found['scale_factor'] == (1.0, 1.0) and found['gt_seg_map'].all()


def test_object_that_would_vanish_falls_back():
    results = scene(box=(3, 3, 4, 4), size=(40, 40))
    found = RefLargeScaleJitter((40, 40), (0.1, 0.1))(results)
    assert found['scale_factor'] == (1.0, 1.0) and found['gt_seg_map'].sum() == 1


def test_no_target_is_cropped_freely():
    found = RefLargeScaleJitter((8, 8), (2.0, 2.0))(scene(box=None))
    assert found['scale_factor'][0] > 8 / WIDTH and not found['gt_seg_map'].any()


def test_place_words_keep_the_whole_image_in_the_middle():
    np.random.seed(0)  # noqa: NPY002
    for _ in range(20):
        found = RefLargeScaleJitter((48, 48), pad_val=(1, 2, 250))(
            scene('leftmost man', box=(4, 2, 10, 8))
        )
        assert max(found['scale_factor']) <= 48 / WIDTH
        padding = (found['img'] == (1, 2, 250)).all(-1)
        for axis in (0, 1):
            bare = np.flatnonzero(~padding.all(axis))
            assert abs(bare[0] - (47 - bare[-1])) <= 1
        columns = np.flatnonzero(found['gt_seg_map'].any(0))
        assert columns.mean() < 24  # left in the frame, too


def test_place_words_may_be_cropped_by_option():
    step = RefLargeScaleJitter((8, 8), (2.0, 2.0), crop_place_words=True)
    assert step(scene('leftmost man'))['scale_factor'][0] > 8 / WIDTH


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(scale=(8, 0)), r'scale must be a positive \(width, height\), got \(8, 0\)'),
        (dict(scale=(8, 8), ratio_range=(0, 1)), 'ratio_range must be 0 < lowest'),
        (dict(scale=(8, 8), ratio_range=(2, 1)), 'ratio_range must be 0 < lowest'),
        (dict(scale=(8, 8), min_object_share=0), r'min_object_share must be in \(0, 1\], got 0'),
    ],
)
def test_bad_jitter(options, match):
    with pytest.raises(ValueError, match=match):
        RefLargeScaleJitter(**options)


# --- colour ---------------------------------------------------------------------------------------


def test_colour_jitter_of_mmseg_leaves_hue_mask_and_sentence():
    """With hue_delta=1, as docs/augmentation.md has it: red stays red."""
    np.random.seed(0)  # noqa: NPY002
    step = TRANSFORMS.build(dict(type='PhotoMetricDistortion', hue_delta=1))
    patch = np.full((4, 4, 3), (40, 60, 200), np.uint8)
    hue = int(cv2.cvtColor(patch, cv2.COLOR_BGR2HSV)[0, 0, 0])
    changed = 0
    for _ in range(60):
        before = scene('red man') | dict(img=patch.copy())
        found = step(before)
        hues = cv2.cvtColor(found['img'], cv2.COLOR_BGR2HSV)[..., 0].astype(int)
        assert (np.abs((hues - hue + 90) % 180 - 90) <= 6).all()  # of 180; rounding and clipping
        changed += not np.array_equal(found['img'], patch)
        assert found['gt_seg_map'].sum() == 36 and found['text'] == 'red man'
    assert changed > 40
