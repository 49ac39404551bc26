# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import argparse
import sys
import types

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmseg_remamber.vmamba.files import (
    differences,
    read_checkpoint,
    weights_of,
    write_checkpoint,
)

STATE = {'a.weight': torch.arange(6.0).reshape(2, 3), 'a.steps': torch.tensor(7)}


class RunsCode:
    def __reduce__(self):
        return print, ('code was run',)


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    torch.save({'model': STATE, 'trap': RunsCode()}, tmp_path / 'trap.pth')
    with pytest.raises(ValueError, match=r'trap.pth. holds a print, which is no weight'):
        read_checkpoint(tmp_path / 'trap.pth')
    assert capsys.readouterr().out == ''


def test_what_training_programs_save_beside_weights_is_no_obstacle(tmp_path, monkeypatch):
    class CfgNode(dict):  # as yacs' class, which VMamba's training saves
        def __init__(self, values):
            super().__init__(values)
            self.__dict__['frozen'] = True

    module = types.ModuleType('yacs.config')
    CfgNode.__module__, CfgNode.__qualname__, module.CfgNode = 'yacs.config', 'CfgNode', CfgNode
    monkeypatch.setitem(sys.modules, 'yacs', types.ModuleType('yacs'))
    monkeypatch.setitem(sys.modules, 'yacs.config', module)
    log = HistoryBuffer()
    log.update(1.0)
    torch.save(
        dict(
            model=STATE,
            args=argparse.Namespace(lr=1e-4),
            config=CfgNode({'MODEL': CfgNode({'NAME': 'vssm', 'DEPTHS': [2, 2]})}),
            max_accuracy=np.float64(83.9),
            message_hub={'loss': log, 'array': np.ones(3)},
        ),
        tmp_path / 'full.pth',
    )
    read = weights_of(read_checkpoint(tmp_path / 'full.pth'))
    assert all(torch.equal(read[key], STATE[key]) for key in STATE)


def test_files_that_are_no_checkpoints_are_named(tmp_path):
    (tmp_path / 'text.pth').write_text('hello')
    torch.save([1], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match=r"text.pth' is no torch file"):
        read_checkpoint(tmp_path / 'text.pth')
    with pytest.raises(ValueError, match=r"list.pth' holds a list, not a dict"):
        read_checkpoint(tmp_path / 'list.pth')
    with pytest.raises(FileNotFoundError, match=r"checkpoint 'nowhere.pth' does not exist"):
        read_checkpoint('nowhere.pth')


def test_an_address_is_downloaded_as_data_only(monkeypatch):
    calls = []

    def download(url, **options):
        calls.append((url, options))
        return {'model': STATE}

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', download)
    assert read_checkpoint('https://host/a.pth') == {'model': STATE}
    assert calls == [('https://host/a.pth', dict(map_location='cpu', weights_only=True))]


@pytest.mark.parametrize('suffix', ['pth', 'safetensors'])
def test_written_files_are_read_and_depend_on_nothing_but_their_content(tmp_path, suffix):
    whole = torch.arange(1000.0)
    state = STATE | {'part': whole[:3], 'shared': whole[:3], 'turned': torch.ones(2, 3).T}
    meta = dict(cfg='a = 1\n', dataset_meta=dict(classes=['background', 'object']), epoch=3)
    paths = [tmp_path / f'{name}.{suffix}' for name in ('one', 'another')]
    for path in paths:
        write_checkpoint(path, state, meta)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size < 4000  # not the whole of which a tensor is a part
    read = read_checkpoint(paths[0])
    assert read['meta'] == meta
    assert all(torch.equal(read['state_dict'][key], state[key]) for key in state)
    if suffix == 'pth':
        assert torch.load(paths[0], weights_only=True).keys() == {'state_dict', 'meta'}


def test_where_the_weights_are():
    ema = {'a.steps': torch.tensor(8)}
    assert weights_of({'model': STATE, 'model_ema': ema, 'epoch': 3}) == STATE
    assert weights_of({'model': STATE, 'model_ema': ema}, ema=True) == ema
    assert weights_of({'state_dict': {f'module.{k}': v for k, v in STATE.items()}}) == STATE
    assert weights_of(STATE) == STATE
    for absent in ({'model': STATE}, {'model': STATE, 'model_ema': None}):
        with pytest.raises(ValueError, match=r"weights under 'model_ema', found .*\['model"):
            weights_of(absent, ema=True)
    with pytest.raises(ValueError, match=r"under 'model' or 'state_dict', found .*\['epoch'\]"):
        weights_of({'epoch': 3})


def test_differences_are_counted_and_named_by_part():
    model = {f'a.b.{i}': torch.ones(2) for i in range(3)} | {
        'c.d.num_batches_tracked': torch.tensor(0),
        'e': torch.ones(2, 3),
    }
    assert differences(model, model) == ''
    file = {'a.b.0': torch.ones(2), 'e': torch.ones(3), **{f'x{i}': STATE for i in range(6)}}
    assert differences(model, file).splitlines() == [
        '2 missing in the file: a.b.1 (and 1 more in a.b)',
        '6 unknown to the model: x0, x1, x2, x3, 2 more parts',
        '1 of another shape: e is (3,), the model has (2, 3)',
    ]
