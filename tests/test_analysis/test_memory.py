# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from mmseg_remamber.analysis.memory import peak_memory

CPU = torch.device('cpu')


def test_peak_memory_is_what_a_run_holds():
    def run():
        first = torch.zeros(1_000_000)
        second = first + 1
        del first
        return second + 1

    run()
    assert peak_memory(run, CPU) == pytest.approx(8e6, rel=0.01)


def test_growth_of_the_process_is_what_a_run_holds():
    kept = bytearray(b'1' * 300_000_000)  # the highest so far
    del kept
    grown = peak_memory(lambda: len(bytearray(b'1') * 100_000_000), CPU, of='process')
    assert grown == pytest.approx(100e6, rel=0.05)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match=r"of must be one of \('allocator', 'process'\), got 'x'"):
        peak_memory(dict, CPU, of='x')
    with pytest.raises(ValueError, match="of='process' is for a CPU, got cuda"):
        peak_memory(dict, torch.device('cuda'), of='process')
