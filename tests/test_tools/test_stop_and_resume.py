# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A signal ends training gracefully, whatever its processes and workers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from tiny_model import CONFIG


def start(root, work, options, *, processes=1):
    """Start tools/train.py in a session of its own."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    command = [sys.executable]
    if processes > 1:
        command += ['-m', 'torch.distributed.run', f'--nproc_per_node={processes}']
        command += [f'--master_port={port}']
    command += ['tools/train.py', str(CONFIG), f'--work-dir={work}']
    command += ['--launcher=pytorch'] if processes > 1 else []
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(root)}
    return subprocess.Popen(
        [*command, '--cfg-options', *options], cwd=root, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def steps(work):
    """Iterations that the JSON logs of a work dir hold, over all of its runs."""
    logs = sorted(work.glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return [line['step'] for line in lines if 'loss_dice' in line]


def finish(process, timeout=120):
    try:
        return process.communicate(timeout=timeout)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def signalled(process, work, send):
    """Wait for two iterations, send the signal -> the output."""
    deadline = time.monotonic() + 120
    while len(steps(work)) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    send()
    return finish(process)


@pytest.fixture
def endless(options):
    """Overrides for a run that does not end by itself, with workers."""
    return [
        *(o for o in options if 'max_iters' not in o and 'interval' not in o),
        'train_dataloader.num_workers=2', 'train_dataloader.persistent_workers=True',
        'train_cfg.max_iters=100000', 'train_cfg.val_interval=100000',
        'default_hooks.checkpoint.interval=100000', 'default_hooks.logger.interval=1',
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ('number', 'whole_group', 'code'),
    [(signal.SIGTERM, True, 143), (signal.SIGUSR1, False, 138)],
)
def test_a_signal_ends_with_a_checkpoint(
    root, script, endless, tmp_path, number, whole_group, code
):
    work = tmp_path / 'work'
    process = start(root, work, endless)
    kill = os.killpg if whole_group else os.kill
    output = signalled(process, work, lambda: kill(process.pid, number))
    assert process.returncode == code, output[-2000:]
    found = re.search(rf'{number.name}: stopped after iteration (\d+); (.+?) is written', output)
    assert found, output[-2000:]
    done = int(found[1])
    assert found[2] == str(work / 'interrupted.pth')
    assert 'Traceback' not in output
    assert not (work / 'interrupted.pth.part').exists()
    more = [o for o in endless if 'max_iters' not in o and 'val_interval' not in o]
    limit = [f'train_cfg.max_iters={done + 1}', 'train_cfg.val_interval=100000']
    script(
        'tools/train.py', CONFIG, f'--work-dir={work}', '--resume', '--cfg-options', *more, *limit
    )
    assert steps(work) == list(range(1, done + 2))


@pytest.mark.slow
def test_processes_stop_together_though_one_was_signalled(root, endless, tmp_path):
    work = tmp_path / 'work'
    process = start(root, work, endless, processes=2)

    def signal_one():
        listed = subprocess.run(
            ['ps', '-o', 'pid=', '--ppid', str(process.pid)], capture_output=True, text=True
        )
        os.kill(int(listed.stdout.split()[-1]), signal.SIGTERM)

    output = signalled(process, work, signal_one)
    assert 'SIGTERM: stopped after iteration' in output, output[-2000:]
    assert (work / 'interrupted.pth').is_file()


@pytest.mark.slow
def test_torchrun_is_ended_with_its_processes(root, endless, tmp_path):
    work = tmp_path / 'work'
    process = start(root, work, endless, processes=2)
    output = signalled(process, work, process.terminate)
    assert 'SIGTERM: stopped after iteration' in output, output[-2000:]
    assert (work / 'interrupted.pth').is_file()
