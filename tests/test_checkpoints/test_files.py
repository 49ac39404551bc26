# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import argparse
import sys
import types

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmseg_remamber.checkpoints import differences, read_checkpoint, weights_of, write_checkpoint

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


def test_histories_of_mmengine_are_read_and_can_be_saved_again(tmp_path, monkeypatch):
    methods = dict(HistoryBuffer._statistics_methods)
    monkeypatch.setattr(HistoryBuffer, '_statistics_methods', methods | {'mean': HistoryBuffer.max})
    log = HistoryBuffer(max_length=3)
    for value, count in ((1.0, 1), (0.1, 3), (5, 2)):
        log.update(value, count)
    saved = dict(model=STATE, hub=dict(loss=log, best=np.float64(0.3), note=np.str_('a')))
    torch.save(saved, tmp_path / 'log.pth')
    monkeypatch.setattr(HistoryBuffer, '_statistics_methods', dict(methods))
    hub = read_checkpoint(tmp_path / 'log.pth')['hub']
    assert type(hub['loss']) is HistoryBuffer
    # the functions that the file names do not take the place of mmengine's
    assert hub['loss'].statistics('mean') == log.mean() != log.max()
    hub['loss'].update(7.0)
    assert [a.tolist() for a in hub['loss'].data] == [[0.1, 5.0, 7.0], [3.0, 2.0, 1.0]]
    assert type(hub['best']) is float and hub['best'] == 0.3
    torch.save(saved | {'hub': dict(loss=hub['loss'])}, tmp_path / 'again.pth')
    again = read_checkpoint(tmp_path / 'again.pth')['hub']['loss']
    assert [a.tolist() for a in again.data] == [a.tolist() for a in hub['loss'].data]


def test_tensors_go_where_they_are_asked_to(tmp_path):
    for path in (tmp_path / 'a.pth', tmp_path / 'a.safetensors'):
        write_checkpoint(path, STATE, {})
        read = read_checkpoint(path, map_location='meta')['state_dict']
        assert {value.device.type for value in read.values()} == {'meta'}


def test_files_that_are_no_checkpoints_are_named(tmp_path):
    (tmp_path / 'text.pth').write_text('hello')
    torch.save([1], tmp_path / 'list.pth')
    torch.save({'model': STATE}, tmp_path / 'cut.pth')
    (tmp_path / 'cut.pth').write_bytes((tmp_path / 'cut.pth').read_bytes()[:-100])
    for name in ('text.pth', 'cut.pth'):
        with pytest.raises(ValueError, match=rf"{name}' is no torch file, or a damaged one"):
            read_checkpoint(tmp_path / name)
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
