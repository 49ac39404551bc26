# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""No sentence lost or counted twice, whatever the processes, the batches and the sampler."""

import json
import os
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

SAMPLERS = ('padded', 'shuffled', 'uneven', 'overlapping')


def run_processes(world_size, cases, folder):
    """What rank 0 of :mod:`evaluate_in_shares` found for each case."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name('evaluate_in_shares.py')
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), json.dumps(cases)],
            cwd=folder,
            env=os.environ
            | dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size))
            | dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), OMP_NUM_THREADS='1')
            | dict(PYTHONPATH=str(script.parents[2])),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world_size)
    ]
    try:
        outputs = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()  # one waits for ever where the other failed
    for process, (_, error) in zip(processes, outputs):
        assert process.returncode == 0, error
    return json.loads(outputs[0][0].splitlines()[-1])


@pytest.mark.parametrize('world_size', [1, 2, 3])
def test_each_sentence_counts_once(world_size, tmp_path):
    """Sizes that divide and that do not, ragged last batches, fewer sentences than processes."""
    cases = [
        dict(size=size, batch_size=batch_size, sampler=sampler)
        for size, batch_size, sampler in product((1, 2, 7, 8, 12), (1, 3, 5), SAMPLERS)
    ]
    for number, case in enumerate(cases):
        case['records_file'] = str(tmp_path / f'{number}.jsonl')
    found = run_processes(world_size, cases, tmp_path)
    for case, result in zip(cases, found, strict=True):
        size = case['size']
        expected = 100 * sum(range(1, size + 1)) / (1000 * size)
        assert result == [pytest.approx(expected), pytest.approx(expected), size], case
        records = Path(case['records_file']).read_text().splitlines()
        assert [json.loads(r)['ref_id'] for r in records] == list(range(size))
