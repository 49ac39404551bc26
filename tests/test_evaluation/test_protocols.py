# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Where prediction and truth meet, against PIL and plain indexing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from mmseg_remamber.evaluation import RefSegMetric

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))


def sample(logits, truth, index=0, **info):
    return dict(
        input_logits=dict(data=torch.as_tensor(logits)[None]),
        gt_sem_seg=dict(data=torch.as_tensor(truth)[None]),
        img_path='a.jpg', ref_id=index, sent_id=index, text='it', ori_shape=truth.shape, **info,
    )  # fmt: skip


def random_sample(seed, input_size, own_size):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=input_size).astype(np.float32)
    return logits, (rng.random(own_size) < 0.5).astype(np.uint8)


def iou(pred, truth):
    return 100 * (pred & truth).sum() / max((pred | truth).sum(), 1)


def evaluate(item, **arguments):
    metric = RefSegMetric(**arguments)
    metric.process({}, [item])
    return metric.evaluate(1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), input_size=SIZES, own_size=SIZES)
def test_lavt_resizes_the_truth_as_pil_does(seed, input_size, own_size):
    logits, truth = random_sample(seed, input_size, own_size)
    resized = Image.fromarray(truth).resize(input_size[::-1], Image.Resampling.NEAREST)
    found = evaluate(sample(logits, truth), protocol='lavt')
    assert found['mIoU'] == pytest.approx(iou(logits > 0, np.asarray(resized) > 0))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), input_size=SIZES, own_size=SIZES)
def test_remamber_reads_the_logit_at_the_scaled_index(seed, input_size, own_size):
    logits, truth = random_sample(seed, input_size, own_size)
    rows, columns = (
        np.arange(own) * given // own for own, given in zip(own_size, input_size, strict=True)
    )
    found = evaluate(sample(logits, truth), protocol='remamber')
    assert found['mIoU'] == pytest.approx(iou(logits[rows][:, columns] > 0, truth > 0))


@pytest.mark.parametrize('protocol', ['remamber', 'lavt'])
def test_threshold(protocol):
    logits, truth = np.array([[-1.0, 0.5, 2.0]], np.float32), np.array([[0, 0, 1]])
    assert evaluate(sample(logits, truth), protocol=protocol)['mIoU'] == 50
    found = evaluate(sample(logits, truth), protocol=protocol, threshold=0.8)
    assert found['mIoU'] == 100 and 'threshold 0.8' in found['protocol']


def test_lavt_counts_an_iou_of_exactly_x():
    logits, truth = np.array([[1.0, -1.0]], np.float32), np.array([[1, 1]])
    assert evaluate(sample(logits, truth), protocol='lavt')['Pr@0.5'] == 100
    assert evaluate(sample(logits, truth), protocol='remamber')['Pr@0.5'] == 0


def test_several_protocols_in_one_evaluation():
    """From one prediction, each with its own name, told by the output itself."""
    data = SegDataSample(
        metainfo=dict(img_path='a.jpg', ref_id=1, sent_id=2, text='it', ori_shape=(1, 4))
    )
    data.pred_sem_seg = PixelData(data=torch.tensor([[[1, 1, 1, 0]]]))
    data.input_logits = PixelData(data=torch.tensor([[[1.0, -1.0]]]))
    data.gt_sem_seg = PixelData(data=torch.tensor([[[1, 0, 0, 0]]]))
    evaluator = Evaluator(
        [dict(type='RefSegMetric')]
        + [dict(type='RefSegMetric', protocol=p, prefix=p) for p in ('remamber', 'lavt')]
    )
    evaluator.process([data])
    found = evaluator.evaluate(1)
    assert found['mIoU'] == pytest.approx(100 / 3)
    assert found['remamber/mIoU'] == 50  # of two pixels, one
    assert found['lavt/mIoU'] == 0  # PIL reads pixels 1 and 3
    for prefix, resolution, resize in (
        ('', "at the image's own size", 'logits resized bilinearly'),
        ('remamber/', "at the image's own size", 'logits resized by nearest neighbour'),
        ('lavt/', "at the network's input size", 'truth resized by nearest neighbour'),
    ):
        text = found[f'{prefix}protocol']
        assert resolution in text and resize in text and 'mIoU averaged over sentences' in text


@pytest.mark.parametrize('protocol', ['remamber', 'lavt'])
def test_no_logits(protocol):
    item = sample(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8))
    del item['input_logits']
    with pytest.raises(KeyError, match=r'no input_logits for a.jpg: .*ReferringSegmentor'):
        evaluate(item, protocol=protocol)


@pytest.mark.parametrize('protocol', ['bilinear', 'remamber', 'lavt'])
def test_truth_that_was_resized_with_the_image(protocol):
    item = sample(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.uint8))
    with pytest.raises(ValueError, match=r'size \(2, 3\) .* size \(4, 6\): .* after Resize'):
        evaluate(item | dict(ori_shape=(4, 6)), protocol=protocol)


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(protocol='nearest'), "protocol must be one of .*'lavt'.* got 'nearest'"),
        (dict(threshold=0.4), "protocol 'bilinear' takes the segmentor's mask .* threshold 0.4"),
        (dict(protocol='lavt', threshold=1.0), r'threshold must be in \(0, 1\), got 1.0'),
        (dict(min_pixels=0), 'min_pixels must be at least 1, got 0'),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        RefSegMetric(**options)
