# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How much memory a run takes at most."""

import ctypes
import gc
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

WAYS = ('allocator', 'process')


def peak_memory(run: Callable[[], object], device: torch.device, *, of: str = 'allocator') -> int:
    """Bytes that a run holds at most beside what was there before it.

    Args:
        run: What is measured.
        device: Where it runs.
        of: 'allocator' counts what torch's allocators hand out on the device. 'process' counts by
            how much the resident set of this process grows, and with it what libraries allocate
            by themselves; on a CPU, under Linux with glibc. What ran before may leave freed
            memory behind, which counts as there already: take a process of its own for each
            measurement.

    Raises:
        ValueError: When ``of`` is neither, or 'process' is asked for on CUDA.
    """
    if of not in WAYS:
        raise ValueError(f'of must be one of {WAYS}, got {of!r}')
    if of == 'process':
        if device.type != 'cpu':
            raise ValueError(f"of='process' is for a CPU, got {device}")
        return _resident_growth(run)
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    return _allocated(run)


def _allocated(run: Callable[[], object]) -> int:
    """By torch's CPU allocator, whose calls the profiler records."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'trace.json'
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text())['traceEvents']
    events = [event for event in events if event.get('name') == '[memory]']
    events.sort(key=lambda event: event['ts'])
    held = peak = 0
    for event in events:
        held += event['args']['Bytes']
        peak = max(peak, held)
    return peak


def _resident_growth(run: Callable[[], object]) -> int:
    gc.collect()
    ctypes.CDLL('libc.so.6').malloc_trim(0)  # back to the system what is free already
    # Not `getrusage`: a new process takes over the highest figure of the one that started it.
    Path('/proc/self/clear_refs').write_text('5')  # the highest so far is that of now
    before = _status('VmRSS')
    run()
    return _status('VmHWM') - before


def _status(field: str) -> int:
    """Bytes, from what Linux says of this process."""
    status = Path('/proc/self/status').read_text()
    (kilobytes,) = re.findall(rf'^{field}:\s+(\d+) kB$', status, re.MULTILINE)
    return 1024 * int(kilobytes)
