# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize('error', [AssertionError('a slip of ours'), SystemExit(3)])
def test_other_errors_are_left_as_they_are(error):
    with pytest.raises(type(error)) as left, errors_as_messages():
        raise error
    assert left.value is error


def test_status_and_streams_of_a_process():
    code = (
        'from mmseg_remamber.cli.errors import errors_as_messages\n'
        'with errors_as_messages():\n'
        "    open('/no such file')"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == "error: [Errno 2] No such file or directory: '/no such file'\n"
