# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How much memory a run takes at most, of the process it is in. Linux with glibc."""

import ctypes
import gc
import re
from collections.abc import Callable
from pathlib import Path


def resident_growth(run: Callable[[], object]) -> int:
    """Bytes by which the resident set grows at most while `run` runs.

    What ran before may leave freed memory behind, which counts as there already: take a process of
    its own for each measurement.
    """
    gc.collect()
    ctypes.CDLL('libc.so.6').malloc_trim(0)  # back to the system what is free already
    # Not `getrusage`: a new process takes over the highest figure of the one that started it.
    Path('/proc/self/clear_refs').write_text('5')  # the highest so far is that of now
    before = _status('VmRSS')
    run()
    return _status('VmHWM') - before


def _status(field: str) -> int:
    status = Path('/proc/self/status').read_text()
    return 1024 * int(re.search(rf'^{field}:\s+(\d+) kB$', status, re.MULTILINE).group(1))
