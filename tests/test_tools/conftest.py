# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import os
import runpy
import socket
import subprocess
import sys

import pytest
import tiny_model
from odd_names import ODD

from mmseg_remamber.datasets.refshapes import write_refshapes

MODES = ('train', 'val', 'test')


@pytest.fixture
def tmp_path(tmp_path):
    """Every tool works in a folder of any name."""
    path = tmp_path / ODD
    path.mkdir()
    return path


@pytest.fixture(scope='session')
def shapes(tmp_path_factory):
    """A RefShapes of a few scenes, whose val sentences two processes cannot share evenly."""
    folder = tmp_path_factory.mktemp('refshapes') / ODD
    write_refshapes(folder, dict(train=6, val=3, test=2, testC=2), size=64, seed=5)
    return folder


@pytest.fixture(scope='session')
def options(shapes):
    """Overrides that make the mini config run on it in a second."""
    return [
        *(f'{mode}_dataloader.dataset.data_root={shapes}' for mode in MODES),
        *(f'{mode}_dataloader.num_workers=0' for mode in MODES),
        *(f'{mode}_dataloader.persistent_workers=False' for mode in MODES),
        'train_dataloader.batch_size=2',
        'auto_scale_lr=None',  # as it is, whatever the schedule was made for
        'val_dataloader.batch_size=4',
        'test_dataloader.batch_size=4',
        'train_cfg.max_iters=3',
        'train_cfg.val_interval=3',
        'default_hooks.checkpoint.interval=3',
        'default_hooks.logger.interval=1',
    ]


@pytest.fixture
def run(root):
    """Run a command in a process of its own, where a process is what is tested.

    It runs in the repository, with one thread; returns its output. The fixture ``script`` does the
    same in this process, without the seconds that importing torch takes.
    """

    def call(*command, check=True):
        command = tuple(map(str, command))
        if command[0].endswith('.py'):
            command = (sys.executable, *command)
        env = {**os.environ, 'OMP_NUM_THREADS': '1'}
        env['PYTHONPATH'] = os.pathsep.join((str(root), env.get('PYTHONPATH', '')))
        env['PATH'] = os.pathsep.join((os.path.dirname(sys.executable), env['PATH']))
        done = subprocess.run(
            command, cwd=root, env=env, capture_output=True, text=True, timeout=600
        )
        output = done.stdout + done.stderr
        assert not check or done.returncode == 0, output[-3000:]
        return output

    return call


@pytest.fixture
def free_port():
    """Finds a port for the processes of a run."""

    def find():
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            return str(s.getsockname()[1])

    return find


@pytest.fixture(scope='session')
def trained(script, options, tmp_path_factory):
    """Work dir of a run of three iterations, which tests only read."""
    work = tmp_path_factory.mktemp('work') / ODD
    script(
        'tools/train.py', tiny_model.CONFIG, f'--work-dir={work}', '--cfg-options', *options
    )  # fmt: skip
    return work


@pytest.fixture
def convert(root, monkeypatch, capsys):
    """Run a converter in this process; returns what it printed."""

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        runpy.run_path(str(root / 'tools' / 'model_converters' / tool), run_name='__main__')
        return capsys.readouterr().out

    return call
