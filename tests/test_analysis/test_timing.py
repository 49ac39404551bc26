# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import time

import pytest
import torch

from mmseg_remamber.analysis.timing import measure_latency, medians, ratio

CPU = torch.device('cpu')


def test_rounds_time_every_candidate_and_leave_the_warm_up_out():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in 'ab'}
    times = measure_latency(runs, CPU, warmup=3, repeats=4)
    assert ''.join(calls) == 'ab' * 7
    assert [len(own) for own in times.values()] == [4, 4] and min(times['a']) > 0
    with pytest.raises(ValueError, match='warmup and repeats must be at least 1, got 0 and 4'):
        measure_latency(runs, CPU, warmup=0, repeats=4)


def test_what_is_slow_is_timed_once():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in 'ab'}
    once = dict(c=lambda: calls.append('c'))
    times = measure_latency(runs, CPU, warmup=1, repeats=2, once=once)
    assert ''.join(calls) == 'ab' + 'abc' + 'ab'
    assert {name: len(own) for name, own in times.items()} == dict(a=2, b=2, c=1)


def test_another_clock():
    runs = dict(sleep=lambda: time.sleep(0.05))
    times = measure_latency(runs, CPU, warmup=1, repeats=2, clock=time.process_time)
    assert max(times['sleep']) < 50 <= max(measure_latency(runs, CPU, warmup=1, repeats=1)['sleep'])


def test_medians_and_ratios_of_rounds():
    times = dict(slow=[4.0, 9.0, 6.0], fast=[2.0, 3.0, 1.0], once=[8.0])
    assert medians(times) == dict(slow=6.0, fast=2.0, once=8.0)
    assert ratio(times, 'slow', 'fast') == 3.0
    assert ratio(times, 'once', 'fast') == 4.0
