# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The kernels of each instruction set that this machine has, not only of its best."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from selective_scan import info
from selective_scan.library import CPU_CAPABILITIES

BEST = CPU_CAPABILITIES.index(info()['cpu_capability'])

SAME_AS_REFERENCE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
import test_elementary, test_map_values, test_values
from inputs import make_inputs, make_map_inputs
from selective_scan import info, selective_scan

assert info()['cpu_capability'] == sys.argv[2], info()
for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10), (torch.bfloat16, 2e-2)):
    inputs = make_inputs(2, 2, 11, 3, 131, dtype=dtype)
    test_values.assert_same_as_reference(inputs, tolerance, delta_softplus=True)
    for channels in (7, 64, 130):
        inputs = make_map_inputs(1, 7, 11, channels, 2, 9, dtype=dtype)
        test_map_values.assert_same_as_reference(inputs, tolerance, delta_softplus=True)
for run, scan in test_elementary.KERNELS:
    for dtype in test_elementary.BOUND:
        test_elementary.test_softplus(run, scan, dtype)
        test_elementary.test_exp(run, scan, dtype)
    test_elementary.test_extremes_of_softplus(run, scan)
    test_elementary.test_extremes_of_exp(run, scan)
test_elementary.test_growth_beyond_the_range_is_infinite(selective_scan)
test_elementary.test_softplus_of_infinity(selective_scan)
"""


def run(capability, code):
    return subprocess.run(
        [sys.executable, '-c', code, str(Path(__file__).parent), capability],
        env=os.environ | {'SELECTIVE_SCAN_CPU_CAPABILITY': capability},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize('capability', CPU_CAPABILITIES[: BEST + 1])
def test_values_and_gradients(capability):
    finished = run(capability, SAME_AS_REFERENCE)
    assert finished.returncode == 0, finished.stderr


def test_a_wish_that_cannot_be_met():
    finished = run('avx1024', 'import selective_scan')
    assert finished.returncode == 1
    assert 'SELECTIVE_SCAN_CPU_CAPABILITY must be default, avx2 or avx512' in finished.stderr
    assert 'got avx1024' in finished.stderr
