# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import io
import subprocess
import sys

import pytest
from mmengine.registry import MODELS
from torch.utils.data import DataLoader, Dataset

from mmseg_remamber.cli.errors import errors_as_messages


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (ValueError('ref 5 of refs(unc).p: missing split'), 'ref 5 of refs(unc).p: missing split'),
        (KeyError("the config has no 'test_dataloader'"), "the config has no 'test_dataloader'"),
        (FileNotFoundError('no image a.jpg'), 'no image a.jpg'),
        (PermissionError(13, 'Permission denied', 'a.json'), "Permission denied: 'a.json'"),
        (ImportError('build it'), 'build it'),
        (RuntimeError('size mismatch'), 'size mismatch'),
        (ValueError(), 'ValueError'),
        (KeyError(), 'KeyError'),
    ],
)
def test_what_is_said(error, message):
    with pytest.raises(SystemExit) as left, errors_as_messages():
        raise error
    assert str(left.value).startswith('error: ')
    assert str(left.value).endswith(message)
    assert left.value.__cause__ is error


@pytest.mark.parametrize(
    'error',
    [AssertionError('a slip of ours'), SystemExit(3), AttributeError('x'), NotImplementedError()],
)
def test_other_errors_are_left_as_they_are(error):
    with pytest.raises(type(error)) as left, errors_as_messages():
        raise error
    assert left.value is error


@pytest.mark.parametrize(
    ('slip', 'error'),
    [
        (lambda: {}['loss'], KeyError),
        (lambda: 1 / 0, ZeroDivisionError),
        (lambda: len(3), TypeError),
        (lambda: [][0], IndexError),
        (lambda: dict(a=1)(), TypeError),
    ],
)
def test_what_no_statement_raised_is_a_slip_of_the_program(slip, error):
    with pytest.raises(error), errors_as_messages():
        slip()


@MODELS.register_module()
class TakesNothing:
    def __init__(self):
        pass


def test_arguments_that_a_config_gives_in_vain_are_of_the_input():
    with (
        pytest.raises(SystemExit, match=r"error: .*unexpected keyword argument 'width'"),
        errors_as_messages(),
    ):
        MODELS.build(dict(type='TakesNothing', width=3))


class Fails(Dataset):
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 2

    def __getitem__(self, index):
        try:
            raise IndexError('the first')
        except IndexError:
            raise self.error from None


@pytest.mark.parametrize(
    'error', [ValueError('a.jpg: no\n  picture'), OSError('a.jpg: no picture')]
)
def test_of_an_error_in_a_worker_its_own_text_is_said(error):
    with pytest.raises(SystemExit) as left, errors_as_messages():
        list(DataLoader(Fails(error), num_workers=1))
    assert left.value.code == f'error: {error}'


def test_a_slip_in_a_worker_keeps_its_traceback():
    with pytest.raises(KeyError, match='Original Traceback'), errors_as_messages():
        list(DataLoader(Fails(KeyError('ann_id')), num_workers=1))


@pytest.mark.parametrize('encoding', ['utf-8', 'ascii', 'latin-1'])
def test_names_that_cannot_be_encoded_are_printed_as_escapes(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, 'stdout', io.TextIOWrapper(written, encoding))
    with errors_as_messages():
        print('a\udcff.jpg')
        print('図.jpg', flush=True)
    lines = written.getvalue().decode(encoding).splitlines()
    assert lines == ['a\\udcff.jpg', '図.jpg' if encoding == 'utf-8' else '\\u56f3.jpg']


def test_status_and_streams_of_a_process():
    code = (
        'from mmseg_remamber.cli.errors import errors_as_messages\n'
        'with errors_as_messages():\n'
        "    open('/no such file')"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == "error: [Errno 2] No such file or directory: '/no such file'\n"
