# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefSegMetric against plain loops over pixels, alone and in two processes."""

import json
import os
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

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


def sample(pred, truth, index=0):
    return dict(
        pred_sem_seg=dict(data=torch.as_tensor(pred)[None]),
        gt_sem_seg=dict(data=torch.as_tensor(truth)[None]),
        img_path='a.jpg', ref_id=index, sent_id=10 * index, text=f'number {index}',
    )  # fmt: skip


def evaluate(pairs, **arguments):
    metric = RefSegMetric(**arguments)
    for index, (pred, truth) in enumerate(pairs):
        metric.process({}, [sample(pred, truth, index)])
    return metric.evaluate(len(pairs))


def by_hand(pairs):
    """The definitions, one pixel at a time."""
    ious, all_both, all_either = [], 0, 0
    for pred, truth in pairs:
        both = either = 0
        for p, t in zip(pred.ravel().tolist(), truth.ravel().tolist()):
            both += p == 1 and t == 1
            either += p == 1 or t == 1
        ious.append(both / either if either else 0.0)
        all_both, all_either = all_both + both, all_either + either
    metrics = {f'Pr@0.{x}': 100 * sum(i > x / 10 for i in ious) / len(ious) for x in range(5, 10)}
    metrics['mIoU'] = 100 * sum(ious) / len(ious)
    metrics['oIoU'] = 100 * all_both / all_either if all_either else 0.0
    return metrics | {'num_sentences': len(pairs)}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12))
def test_equals_the_definitions(seed, count):
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        shape = rng.integers(1, 9, 2)
        truth = (rng.random(shape) < rng.choice([0, 0.3, 0.9])).astype(np.uint8)
        pred = np.where(rng.random(shape) < rng.choice([0, 0.1, 0.5]), 1 - truth, truth)
        pairs.append((pred, truth))
    assert evaluate(pairs) == pytest.approx(by_hand(pairs))


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
    assert set(evaluate([(empty, empty)]).values()) == {0.0, 1}
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
    metric = RefSegMetric(records_file=str(path))
    for index in (2, 0, 1):
        record = sample(strip(4, 0, index + 1), strip(4, 0, 4), index)
        metric.process({}, [record | {'text': f'the é {index}'}])
    metric.evaluate(3)
    records = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
    assert records == [
        dict(img_path='a.jpg', ref_id=i, sent_id=10 * i, text=f'the é {i}', iou=(i + 1) / 4)
        for i in range(3)
    ]


def test_sizes_differ():
    with pytest.raises(ValueError, match=r'size \(1, 2, 3\), truth of size \(1, 3, 3\) for a.jpg'):
        RefSegMetric().process({}, [sample(np.zeros((2, 3)), np.zeros((3, 3)))])


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match='no sentence to evaluate'):
        RefSegMetric().evaluate(0)


def test_sentence_evaluated_twice():
    metric = RefSegMetric()
    for _ in range(2):
        metric.process({}, [sample(strip(2, 0, 1), strip(2, 0, 1), 3)])
    with pytest.raises(ValueError, match=r"\('a.jpg', 3, 30\) was evaluated 2 times"):
        metric.evaluate(2)


def test_each_sentence_counts_once_in_two_processes(tmp_path):
    """Odd and even sizes, ragged last batches, fewer sentences than processes, padding or none."""
    cases = [
        dict(size=size, batch_size=batch_size, round_up=round_up, shuffle=shuffle)
        for size, batch_size, round_up, shuffle in product(
            (1, 2, 7, 8), (1, 3), (True, False), (True, False)
        )
        if size > 1 or round_up
    ]
    for number, case in enumerate(cases):
        case['records_file'] = str(tmp_path / f'{number}.jsonl')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name('evaluate_in_shares.py')
    root = str(script.parents[2])
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), json.dumps(cases)],
            cwd=tmp_path,
            env=os.environ
            | dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
            | dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), OMP_NUM_THREADS='1')
            | dict(PYTHONPATH=root),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()  # one waits for ever where the other failed
    for process, (_, error) in zip(processes, outputs):
        assert process.returncode == 0, error
    found = json.loads(outputs[0][0].splitlines()[-1])
    for case, result in zip(cases, found, strict=True):
        size = case['size']
        expected = 100 * sum(range(1, size + 1)) / (1000 * size)
        assert result == [pytest.approx(expected), pytest.approx(expected), size], case
        records = Path(case['records_file']).read_text().splitlines()
        assert sorted(json.loads(r)['ref_id'] for r in records) == list(range(size))
