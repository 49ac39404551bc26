# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The steps of a pipeline: image, sentence, mask, tokens, packing."""

import cv2
import numpy as np
import pytest
import torch
from mmseg.models import SegDataPreProcessor
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmseg_remamber.datasets.transforms import (
    ChooseSentence,
    LoadRefImage,
    LoadRefMask,
    PackRefSegInputs,
    TokenizeText,
)

HEIGHT, WIDTH = 21, 34
POLYGONS = [[2.0, 3.0, 12.5, 3.5, 8.0, 15.0], [20.0, 5.0, 30.0, 5.0, 30.0, 18.0, 20.0, 18.0]]
RESIZE = dict(type='Resize', scale=(32, 48), keep_ratio=False, backend='pillow')


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def entry(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / 'image.png')
    return dict(
        img_path=str(tmp_path / 'image.png'), height=HEIGHT, width=WIDTH, segmentation=POLYGONS,
        ref_id=1, ann_id=7, sentences=['the cat', 'a grey cat', 'cat'], sent_ids=[4, 5, 6],
    )  # fmt: skip


def run(entry, *steps):
    for step in steps:
        step = TRANSFORMS.build(step if isinstance(step, dict) else dict(type=step))
        entry = step(entry)
    return entry


# --- image ----------------------------------------------------------------------------------------


def test_image_is_bgr_and_contiguous(entry, pixels):
    found = LoadRefImage()(entry)
    assert found['img'].flags.c_contiguous and found['img'].dtype == np.uint8
    assert np.array_equal(found['img'], pixels[..., ::-1])
    assert found['img_shape'] == found['ori_shape'] == (HEIGHT, WIDTH)


@pytest.mark.parametrize('mode', ['L', 'P', 'RGBA', 'CMYK'])
def test_image_of_other_modes(entry, pixels, mode):
    path = entry['img_path'].replace('png', 'tif')
    Image.fromarray(pixels).convert(mode).save(path)
    found = LoadRefImage()(dict(entry, img_path=path))
    expected = np.asarray(Image.open(path).convert('RGB'))[..., ::-1]
    assert np.array_equal(found['img'], expected)


def test_orientation_tag_is_ignored(entry, pixels):
    """Masks lie on the pixels as stored; OpenCV's default turns them."""
    path = entry['img_path'].replace('png', 'jpg')
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Image.fromarray(pixels).save(path, exif=exif)
    assert cv2.imread(path).shape[:2] == (WIDTH, HEIGHT)
    assert LoadRefImage()(dict(entry, img_path=path))['img_shape'] == (HEIGHT, WIDTH)


def test_missing_image(entry):
    with pytest.raises(FileNotFoundError, match=r'no image .*gone\.png'):
        LoadRefImage()(dict(entry, img_path='/folder/gone.png'))


@pytest.mark.parametrize('suffix', ['png', 'jpg'])
@pytest.mark.parametrize('damage', ['text', 'truncated', 'empty'])
def test_damaged_image(entry, pixels, tmp_path, suffix, damage):
    path = tmp_path / f'damaged.{suffix}'
    Image.fromarray(pixels).save(path)
    whole = path.read_bytes()
    path.write_bytes({'text': b'text', 'truncated': whole[: len(whole) // 2], 'empty': b''}[damage])
    said = {'truncated': rf'could not decode image .*damaged\.{suffix}'}
    want = said.get(damage, rf'damaged\.{suffix}. is not an image')
    with pytest.raises(ValueError, match=want):
        LoadRefImage()(dict(entry, img_path=str(path)))


def test_image_of_another_size_than_recorded(entry):
    with pytest.raises(ValueError, match=r'image\.png is 34x21, its record says 34x22'):
        LoadRefImage()(dict(entry, height=22))


def test_image_without_a_record(entry):
    assert LoadRefImage()(dict(img_path=entry['img_path']))['img_shape'] == (HEIGHT, WIDTH)


# --- sentence -------------------------------------------------------------------------------------


def test_sentence_is_drawn_anew(entry):
    np.random.seed(0)  # noqa: NPY002
    drawn = [ChooseSentence()(dict(entry)) for _ in range(60)]
    assert {(d['text'], d['sent_id']) for d in drawn} == set(
        zip(entry['sentences'], entry['sent_ids'])
    )
    counts = [sum(d['sent_id'] == i for d in drawn) for i in entry['sent_ids']]
    assert min(counts) > 8  # uniform: 20 each


def test_given_sentence_is_kept(entry):
    assert ChooseSentence()(dict(entry, text='that one'))['text'] == 'that one'


def test_no_sentence():
    with pytest.raises(KeyError, match=r"needs text or sentences, got \['img'\]"):
        ChooseSentence()(dict(img=0))


# --- resize --------------------------------------------------------------------------------------


def test_mask_is_resized_in_training_and_kept_at_test(entry):
    own = LoadRefMask()(dict(entry))['gt_seg_map']
    train = run(dict(entry), 'LoadRefImage', 'LoadRefMask', RESIZE)
    test = run(dict(entry), 'LoadRefImage', RESIZE, 'LoadRefMask')
    assert train['img'].shape == test['img'].shape == (48, 32, 3)
    nearest = Image.fromarray(own).resize((32, 48), Image.Resampling.NEAREST)
    assert np.array_equal(train['gt_seg_map'], np.asarray(nearest))
    assert np.array_equal(test['gt_seg_map'], own)
    assert train['seg_fields'] == test['seg_fields'] == ['gt_seg_map']


def test_image_is_resized_as_by_pil(entry, pixels):
    """The published resize: PIL's bilinear filter, which averages when it shrinks."""
    found = run(entry, 'LoadRefImage', dict(RESIZE, scale=(17, 9)))['img']
    expected = Image.fromarray(pixels).resize((17, 9), Image.Resampling.BILINEAR)
    assert np.array_equal(found[..., ::-1], np.asarray(expected))


# --- packing --------------------------------------------------------------------------------------


def test_packed_sample(entry):
    packed = run(
        dict(entry, text='cat', sent_id=6), 'LoadRefImage', RESIZE, 'LoadRefMask',
        dict(type='TokenizeText', max_tokens=6), 'PackRefSegInputs',
    )  # fmt: skip
    inputs, sample = packed['inputs'], packed['data_samples']
    assert inputs.shape == (3, 48, 32) and inputs.dtype == torch.uint8 and inputs.is_contiguous()
    assert sample.gt_sem_seg.data.shape == (1, HEIGHT, WIDTH)
    assert sample.gt_sem_seg.data.dtype == torch.uint8
    assert sample.token_ids.tolist() == [49406, 2368, 49407, 49407, 49407, 49407]
    assert sample.token_mask.tolist() == [True] * 3 + [False] * 3
    assert set(sample.keys()) == {'gt_sem_seg', 'token_ids', 'token_mask'}
    assert (sample.num_tokens, sample.truncated, sample.no_target) == (3, False, False)
    assert (sample.text, sample.ref_id, sample.ann_id, sample.sent_id) == ('cat', 1, 7, 6)
    assert sample.ori_shape == (HEIGHT, WIDTH) and sample.img_shape == (48, 32)


def test_packing_without_truth_and_with_chosen_metainfo(entry):
    tokens = dict(token_ids=torch.zeros(3, dtype=torch.long), token_mask=torch.ones(3).bool())
    packed = PackRefSegInputs(meta_keys=['text'])(
        dict(img=np.zeros((4, 5, 3), np.uint8), text='cat', ref_id=1, **tokens)
    )
    sample = packed['data_samples']
    assert 'gt_sem_seg' not in sample and list(sample.metainfo_keys()) == ['text']


def test_data_preprocessor_moves_the_tokens(entry):
    """As data fields they go where the images go; metainfo would stay behind."""
    packed = run(
        entry, 'LoadRefImage', 'ChooseSentence', 'LoadRefMask', 'TokenizeText', 'PackRefSegInputs'
    )
    preprocessor = SegDataPreProcessor(mean=[0] * 3, std=[1] * 3, bgr_to_rgb=True, size=(24, 40))
    preprocessor.to('meta')
    batch = preprocessor.cast_data(dict(data_samples=[packed['data_samples']]))
    sample = batch['data_samples'][0]
    for tensor in (sample.token_ids, sample.token_mask, sample.gt_sem_seg.data):
        assert tensor.device.type == 'meta'


@pytest.mark.parametrize('max_tokens', [2, 0, -1])
def test_too_few_tokens(max_tokens):
    with pytest.raises(ValueError, match=f'max_tokens must be at least 3, got {max_tokens}'):
        TokenizeText(max_tokens=max_tokens)


@pytest.mark.parametrize('text', ['', ' \t'])
def test_text_without_a_word(text):
    with pytest.raises(ValueError, match='text must have a word'):
        TokenizeText()(dict(text=text))
