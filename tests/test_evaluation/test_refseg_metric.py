# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefSegMetric against plain loops over pixels."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

from mmseg_remamber.evaluation import RefSegMetric


def sample(pred, truth, index=0, **info):
    return dict(
        pred_sem_seg=dict(data=torch.as_tensor(pred)[None]),
        gt_sem_seg=dict(data=torch.as_tensor(truth)[None]),
        img_path='a.jpg', ref_id=index, sent_id=10 * index, text=f'number {index}', **info,
    )  # fmt: skip


def evaluate_samples(samples, **arguments):
    metric = RefSegMetric(**arguments)
    for item in samples:
        metric.process({}, [item])
    return metric.evaluate(len(samples))


def evaluate(pairs, **arguments):
    return evaluate_samples(
        [sample(pred, truth, index) for index, (pred, truth) in enumerate(pairs)], **arguments
    )


def numbers(metrics):
    return {key: value for key, value in metrics.items() if key != 'protocol'}


def by_hand(triples, min_pixels=1):
    """The definitions, one pixel at a time. triples: (prediction, truth, has no target)"""
    ious, generalised, all_both, all_either = [], [], 0, 0
    said_none, said_some = [], []
    for pred, truth, no_target in triples:
        both = either = found = 0
        for p, t in zip(pred.ravel().tolist(), truth.ravel().tolist()):
            found += p == 1
            both += p == 1 and t == 1
            either += p == 1 or t == 1
        if found < min_pixels:
            found, both, either = 0, 0, int(truth.sum())
        all_both, all_either = all_both + both, all_either + either
        if no_target:
            generalised.append(1.0 if found == 0 else 0.0)
            said_none.append(found == 0)
        else:
            ious.append(both / either if either else 0.0)
            generalised.append(ious[-1])
            said_some.append(found > 0)
    metrics = {'oIoU': 100 * all_both / all_either if all_either else 0.0}
    if ious:
        metrics['mIoU'] = 100 * sum(ious) / len(ious)
        for x in range(5, 10):
            metrics[f'Pr@0.{x}'] = 100 * sum(i > x / 10 for i in ious) / len(ious)
    if said_none:
        metrics['gIoU'] = 100 * sum(generalised) / len(generalised)
        metrics['N-acc'] = 100 * sum(said_none) / len(said_none)
        metrics['num_no_target'] = len(said_none)
        if said_some:
            metrics['T-acc'] = 100 * sum(said_some) / len(said_some)
    return metrics | {'num_sentences': len(generalised)}


def random_pair(rng):
    """Masks of any size; each of the two empty now and then."""
    shape = rng.integers(1, 9, 2)
    truth = (rng.random(shape) < rng.choice([0, 0.3, 0.9])).astype(np.uint8)
    pred = np.where(rng.random(shape) < rng.choice([0, 0.1, 0.5]), 1 - truth, truth)
    return (pred if rng.random() < 0.8 else np.zeros_like(pred)), truth


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12))
def test_equals_the_definitions(seed, count):
    rng = np.random.default_rng(seed)
    pairs = [random_pair(rng) for _ in range(count)]
    expected = by_hand([(*pair, False) for pair in pairs])
    assert numbers(evaluate(pairs)) == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    no_targets=st.lists(st.booleans(), min_size=1, max_size=12),
    min_pixels=st.sampled_from([1, 2, 10]),
)
def test_equals_the_definitions_without_targets(seed, no_targets, min_pixels):
    rng = np.random.default_rng(seed)
    triples = []
    for no_target in no_targets:
        pred, truth = random_pair(rng)
        triples.append((pred, np.zeros_like(truth) if no_target else truth, no_target))
    samples = [sample(p, t, i, no_target=n) for i, (p, t, n) in enumerate(triples)]
    found = evaluate_samples(samples, min_pixels=min_pixels)
    assert numbers(found) == pytest.approx(by_hand(triples, min_pixels))


def strip(length, start, stop):
    mask = np.zeros((1, length), np.uint8)
    mask[0, start:stop] = 1
    return mask


@pytest.mark.parametrize('tenths', [5, 6, 7, 8, 9])
def test_precision_is_strict(tenths):
    """An IoU of exactly X is not above X."""
    at = evaluate([(strip(10, 0, tenths), strip(10, 0, 10))])
    above = evaluate([(strip(100, 0, 10 * tenths + 1), strip(100, 0, 100))])
    assert at['mIoU'] == pytest.approx(10 * tenths)
    assert at[f'Pr@0.{tenths}'] == 0 and above[f'Pr@0.{tenths}'] == 100


def test_mean_and_overall_differ():
    pairs = [(strip(100, 0, 90), strip(100, 0, 100)), (strip(2, 0, 1), strip(2, 1, 2))]
    found = evaluate(pairs)
    assert found['mIoU'] == pytest.approx(45) and found['oIoU'] == pytest.approx(100 * 90 / 102)


def test_empty_union_counts_zero():
    empty = np.zeros((3, 3), np.uint8)
    assert set(numbers(evaluate([(empty, empty)])).values()) == {0.0, 1}
    full = np.ones((3, 3), np.uint8)
    found = evaluate([(empty, empty), (full, full)])
    assert (found['mIoU'], found['oIoU'], found['Pr@0.9']) == (50, 100, 50)


def test_masks_of_any_type_and_images_of_any_size():
    pred, truth = np.array([[True, False, True]]), np.array([[1, 1, 0]])
    small = np.array([[1.0]], np.float32)
    found = evaluate([(pred, truth), (small, small)])
    assert (found['mIoU'], found['oIoU']) == (pytest.approx(200 / 3), 50)


def test_through_mmengine_s_evaluator():
    """As the test loop calls it, with data samples in place of dicts."""
    data = SegDataSample(metainfo=dict(img_path='a.jpg', ref_id=1, sent_id=2, text='it'))
    data.pred_sem_seg = PixelData(data=torch.tensor([[[1, 1, 0]]]))
    data.gt_sem_seg = PixelData(data=torch.tensor([[[1, 0, 0]]]))
    evaluator = Evaluator(METRICS.build(dict(type='RefSegMetric')))
    evaluator.process([data])
    assert evaluator.evaluate(1)['mIoU'] == 50


def test_records(tmp_path):
    path = tmp_path / 'new' / 'records.jsonl'
    counts = dict(num_tokens=9, truncated=False)
    samples = [
        sample(strip(4, 0, i + 1), strip(4, 0, 4), i, **counts) | {'text': f'the é {i}'}
        for i in (2, 0, 1)
    ]
    samples.append(sample(strip(4, 0, 0), strip(4, 0, 0), 3, no_target=True))
    evaluate_samples(samples, records_file=str(path))
    *targets, last = (json.loads(line) for line in path.read_text(encoding='utf-8').splitlines())
    common = dict(img_path='a.jpg', size=[1, 4], protocol='bilinear')
    assert targets == [
        dict(
            common, ref_id=i, sent_id=10 * i, text=f'the é {i}', iou=(i + 1) / 4,
            intersection=i + 1, union=4, no_target=False, **counts,
        )
        for i in range(3)
    ]  # fmt: skip
    assert (last['no_target'], last['iou'], last['union']) == (True, 1.0, 0)
    assert 'truncated' not in last


def test_cut_sentences_are_counted_where_it_is_known():
    def run(*truncated):
        mask = strip(4, 0, 2)
        return evaluate_samples(
            [
                sample(mask, mask, i, **({} if t is None else dict(truncated=t)))
                for i, t in enumerate(truncated)
            ]
        )

    assert run(True, False, True)['num_truncated'] == 2
    assert run(False)['num_truncated'] == 0
    assert 'num_truncated' not in run(True, None)


def test_few_pixels_may_count_as_none():
    """GRES's rule for methods that cannot say that there is no target."""
    few, many = strip(100, 0, 49), strip(100, 0, 50)
    empty, truth = strip(100, 0, 0), strip(100, 0, 100)
    samples = [
        sample(few, empty, 0, no_target=True),
        sample(many, empty, 1, no_target=True),
        sample(few, truth, 2),
        sample(many, truth, 3),
    ]
    found = evaluate_samples(samples, min_pixels=50)
    assert (found['N-acc'], found['T-acc']) == (50, 50)
    assert found['gIoU'] == pytest.approx(100 * (1 + 0 + 0 + 0.5) / 4)
    assert found['oIoU'] == pytest.approx(100 * 50 / (50 + 100 + 100))
    assert found['mIoU'] == pytest.approx(25)
    assert 'predictions under 50 pixels empty' in found['protocol']


def test_metrics_without_targets_appear_with_the_data():
    mask = strip(4, 0, 2)
    assert not {'gIoU', 'N-acc', 'T-acc', 'num_no_target'} & set(evaluate([(mask, mask)]))
    only = evaluate_samples([sample(strip(4, 0, 0), strip(4, 0, 0), no_target=True)])
    assert (only['gIoU'], only['N-acc']) == (100, 100)
    assert not {'mIoU', 'Pr@0.5', 'T-acc'} & set(only)


def test_truth_in_spite_of_no_target():
    with pytest.raises(ValueError, match="'number 0' has no target, but a truth of 2 pixels"):
        RefSegMetric().process({}, [sample(strip(4, 0, 2), strip(4, 0, 2), no_target=True)])


def test_sizes_differ():
    with pytest.raises(ValueError, match=r'size \(1, 2, 3\), truth of size \(1, 3, 3\) for a.jpg'):
        RefSegMetric().process({}, [sample(np.zeros((2, 3)), np.zeros((3, 3)))])


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match='no sentence to evaluate'):
        RefSegMetric().evaluate(0)


def test_sentence_met_twice_counts_once():
    metric = RefSegMetric()
    mask, half = strip(2, 0, 2), strip(2, 0, 1)
    metric.process({}, [sample(mask, mask, 3), sample(half, mask, 4), sample(mask, mask, 3)])
    found = metric.evaluate(2)
    assert (found['mIoU'], found['num_sentences']) == (75, 2)


@pytest.mark.parametrize('size', [1, 3])
def test_another_number_of_sentences_than_the_dataset_has(size):
    metric = RefSegMetric()
    for index in range(2):
        metric.process({}, [sample(strip(2, 0, 1), strip(2, 0, 1), index)])
    with pytest.raises(ValueError, match=f'2 different .* the dataset has {size} sentences'):
        metric.evaluate(size)
