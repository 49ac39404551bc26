# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Curves of text logs."""

import pytest

from mmseg_remamber.visualization.logs import read_text_log

SWIN = '[2024-02-19 12:00:00 vssm1_tiny_0230s] (main.py 281): INFO '


def train(epoch, step, loss, mean):
    return (
        f'{SWIN}Train: [{epoch}/300][{step}/1000]\teta 2:18:30 lr 0.000001\t wd 0.0500\t'
        f'time 6.6435 (6.6435)\tdata time 3.6 (3.6)\tloss {loss} ({mean})\t'
        f'grad_norm 1.4 (1.4)\tloss_scale 65536.0000 (65536.0000)\tmem 12345MB'
    )


def accuracy(top1, top5):
    return (
        f'{SWIN}Test: [0/98]\tTime 9.5 (9.5)\tLoss 6.9 (6.9)\tAcc@1 0.1 (0.1)\tAcc@5 0.5 (0.5)\n'
        f'{SWIN} * Acc@1 {top1} Acc@5 {top5}'
    )


def write(tmp_path, *lines):
    path = tmp_path / 'run.txt'
    path.write_text('\n'.join(lines) + '\n')
    return path


def test_of_the_authors_classifiers(tmp_path):
    """Plain and averaged weights in turn; a resumed epoch counts as it was logged last."""
    log = read_text_log(
        write(
            tmp_path,
            f'{SWIN}ConfigDict of things: 3',
            train(0, 0, 6.9, 6.95), train(0, 500, '6.1', '6.5'), accuracy(1.5, 5), accuracy(0.5, 2),
            train(1, 0, 9, 9),
            train(1, 0, 5.5, 5.6), accuracy(2.5, 8), accuracy(1.25, 4),
        )
    )  # fmt: skip
    assert log.unit == 'epoch'
    assert log.curves == {
        'loss': [(0, 6.9), (0.5, 6.1), (1, 5.5)],
        'loss_mean': [(0, 6.95), (0.5, 6.5), (1, 5.6)],
        'top1': [(1, 1.5), (2, 2.5)],
        'top5': [(1, 5), (2, 8)],
        'top1_ema': [(1, 0.5), (2, 1.25)],
        'top5_ema': [(1, 2), (2, 4)],
    }


def test_of_mmengine_by_epoch(tmp_path):
    log = read_text_log(
        write(
            tmp_path,
            '2024/01/01 00:00:00 - mmengine - INFO - Epoch(train)  [2][  50/200]  lr: 1.0000e-04  '
            'eta: 1:02:03  time: 0.4  data_time: 0.01  memory: 9000  loss: 1.2500  acc: 90.5',
            '2024/01/01 00:01:00 - mmengine - INFO - Epoch(val) [2][10/625]    eta: 0:00:01  time: '
            '0.1',
            '2024/01/01 00:02:00 - mmengine - INFO - Epoch(val) [2][625/625]    coco/bbox_mAP: '
            '0.4730  coco/segm_mAP: -1.0000  time: 0.1',
        )
    )
    assert log.unit == 'epoch'
    assert log.curves == {
        'lr': [(1.25, 1e-4)], 'loss': [(1.25, 1.25)], 'acc': [(1.25, 90.5)],
        'coco/bbox_mAP': [(2, 0.473)], 'coco/segm_mAP': [(2, -1)],
    }  # fmt: skip


def test_of_mmengine_by_iteration(tmp_path):
    log = read_text_log(
        write(
            tmp_path,
            '- mmengine - INFO - Iter(train) [ 16000/160000]  loss: 0.5  decode.acc_seg: nan',
            '- mmengine - INFO - Iter(val) [2000/2000]    aAcc: 82.0  mIoU: 47.3',
        )
    )
    assert log.unit == 'iteration'
    assert log.curves['mIoU'] == [(16000, 47.3)]
    assert log.curves['loss'] == [(16000, 0.5)]


def test_no_log(tmp_path):
    with pytest.raises(FileNotFoundError, match='no log'):
        read_text_log(tmp_path / 'none.txt')
    with pytest.raises(ValueError, match='neither of mmengine nor Swin'):
        read_text_log(write(tmp_path, 'loss: 3', 'Epoch 5'))
