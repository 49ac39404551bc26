# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""No sentence lost or counted twice, whatever the processes, the batches and the sampler."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

WORLD_SIZES = (1, 2, 3)
SAMPLERS = ('padded', 'shuffled', 'uneven', 'overlapping')


def make_cases(folder):
    """Sizes that divide and that do not, ragged last batches, fewer sentences than processes."""
    cases = [
        dict(size=size, batch_size=batch_size, sampler=sampler)
        for size, batch_size, sampler in product((1, 2, 7, 8, 12), (1, 3, 5), SAMPLERS)
    ]
    for number, case in enumerate(cases):
        case['records_file'] = str(folder / f'{number}.jsonl')
    return cases


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    """For each number of processes its cases, and what rank 0 of them found for each.

    The processes are started once: importing takes longer than all that they evaluate.
    """
    folder = tmp_path_factory.mktemp('shares')
    cases = {size: make_cases(tmp_path_factory.mktemp(f'of_{size}')) for size in WORLD_SIZES}
    script = Path(__file__).with_name('evaluate_in_shares.py')
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(folder), json.dumps(cases)],
            cwd=folder,
            env=os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=str(script.parents[2])),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(max(WORLD_SIZES))
    ]
    try:
        outputs = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()  # one waits for ever where the other failed
    for process, (_, error) in zip(processes, outputs):
        assert process.returncode == 0, error
    results = json.loads(outputs[0][0].splitlines()[-1])
    return {size: (cases[size], results[str(size)]) for size in WORLD_SIZES}


@pytest.mark.parametrize('world_size', WORLD_SIZES)
def test_each_sentence_counts_once(world_size, found):
    for case, result in zip(*found[world_size], strict=True):
        size = case['size']
        expected = 100 * sum(range(1, size + 1)) / (1000 * size)
        assert result == [pytest.approx(expected), pytest.approx(expected), size], case
        records = Path(case['records_file']).read_text().splitlines()
        assert [json.loads(r)['ref_id'] for r in records] == list(range(size))
