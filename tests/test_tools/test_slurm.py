# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the Slurm scripts ask of srun, by a stand-in for it."""

import os
from pathlib import Path

import pytest
from odd_names import ODD

TRAIN = ('part', 'job', 'c.py', 'work', '--amp')
TEST = ('part', 'job', 'c.py', 'w.pth', '--metrics-out=m.json')


@pytest.fixture
def srun(tmp_path, monkeypatch):
    """An srun that prints its arguments, one a line."""
    file = tmp_path / 'srun'
    file.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    file.chmod(0o755)
    monkeypatch.setenv('PATH', os.pathsep.join((str(tmp_path), os.environ['PATH'])))


@pytest.mark.parametrize(('gpus', 'ntasks', 'per_node'), [(None, 8, 8), ('16', 16, 8), ('2', 2, 2)])
@pytest.mark.parametrize(('script', 'arguments'), [('train', TRAIN), ('test', TEST)])
def test_one_process_a_gpu(root, run, srun, monkeypatch, script, arguments, gpus, ntasks, per_node):
    if gpus:
        monkeypatch.setenv('GPUS', gpus)
    monkeypatch.setenv('SRUN_ARGS', '--time=1-0 --exclusive')
    lines = run(f'tools/slurm_{script}.sh', *arguments).splitlines()
    python = lines.index('python')
    assert {
        '--partition=part', '--job-name=job', f'--ntasks={ntasks}',
        f'--ntasks-per-node={per_node}', f'--gres=gpu:{per_node}', '--time=1-0', '--exclusive',
    } <= set(lines[:python])  # fmt: skip
    given = ['c.py', '--work-dir=work'] if script == 'train' else ['c.py', 'w.pth']
    _, unbuffered, tool, *rest = lines[python:]
    assert (unbuffered, Path(tool).resolve()) == ('-u', root / 'tools' / f'{script}.py')
    assert rest == ['--launcher=slurm', *given, arguments[-1]]


def test_a_missing_argument_is_an_error(run, srun):
    assert 'unbound variable' in run('tools/slurm_train.sh', 'part', 'job', check=False)


@pytest.mark.parametrize('script', ['train', 'test'])
def test_a_path_of_any_name_stays_one_argument(run, srun, script):
    paths = [f'/data/{ODD}/c.py', f'/data/{ODD}/w']
    option = f'val_dataloader.dataset.data_root=/data/{ODD}'
    lines = run(
        f'tools/slurm_{script}.sh', 'a part', 'job [1]', *paths, '--cfg-options', option
    ).splitlines()
    assert {'--partition=a part', '--job-name=job [1]'} <= set(lines)
    given = [paths[0], f'--work-dir={paths[1]}'] if script == 'train' else paths
    assert lines[-4:] == [*given, '--cfg-options', option]
