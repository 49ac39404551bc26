# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""tools/train.py reaches the batch of a schedule on the machine at hand, and says how."""

import runpy
import sys

import pytest

CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
BASE = 'configs/remamber/remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480.py'


@pytest.fixture
def train(root, monkeypatch):
    """Run the tool in this process."""

    def call(*arguments):
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, 'argv', ['train.py', *map(str, arguments)])
        runpy.run_path('tools/train.py', run_name='__main__')

    return call


def test_it_accumulates_and_says_so(train, options, tmp_path):
    options = [option for option in options if 'auto_scale_lr' not in option]
    train(
        CONFIG, '--batch-size=1', f'--work-dir={tmp_path}', '--cfg-options', *options,
        'auto_scale_lr.base_batch_size=2', 'train_dataloader.num_workers=2',
        'train_dataloader.persistent_workers=True',
    )  # fmt: skip
    (log,) = tmp_path.glob('*/*.log')
    text = log.read_text()
    said = 'batch: 1 a process x 1 process x 2 accumulated = 2; 3 updates in 6 iterations'
    assert text.count(said) == 1
    assert 'Iter(train) [6/6]' in text
    assert 'num_workers=1' not in text.partition(said)[2]  # 2 were asked for
    assert (tmp_path / 'iter_6.pth').is_file()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([BASE, '--batch-size=3'], '--batch-size 3: 3 a process x 1 = 3 does not divide the 64'),
        ([CONFIG, '--accumulate=3'], 'Take --accumulate 1'),
        ([CONFIG, '--launcher=pytorch'], 'WORLD_SIZE is not set'),
    ],
)
def test_a_batch_that_cannot_be_is_an_error_of_one_line(train, monkeypatch, arguments, message):
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    with pytest.raises(SystemExit) as error:
        train(*arguments)
    assert str(error.value).startswith('error: ')
    assert message in str(error.value)


def test_float16_needs_a_gpu(train, monkeypatch, capsys):
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cpu')
    with pytest.raises(SystemExit):
        train(BASE, '--amp', 'float16')
    assert '--amp float16 needs a GPU: take --amp bfloat16' in capsys.readouterr().err
