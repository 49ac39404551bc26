# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What tests build, kept from one run to the next and found again by all that it is made from.

The folder is `$SELECTIVE_SCAN_TEST_CACHE`, by default `mmseg_remamber/tests` in the user's cache.
Processes that want the same thing at the same time wait for the one that makes it.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout  # torch requires it

# Read now: tests may move the user's cache while they run.
_USER = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
CACHE = Path(os.environ.get('SELECTIVE_SCAN_TEST_CACHE') or _USER / 'mmseg_remamber' / 'tests')
VARIABLES = (
    *('CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS', 'CPATH', 'CPLUS_INCLUDE_PATH'),
    *('NVCC_CCBIN', 'NVCC_PREPEND_FLAGS', 'NVCC_APPEND_FLAGS'),
)
DAYS = 30  # for which a thing that nobody asks for is kept


def contents(root: Path, *patterns: str, without: tuple[str, ...] = ()) -> str:
    """A digest of the names and bytes of files of `root`, but for those in folders `without`."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        name = path.relative_to(root)
        if path.is_file() and not set(name.parts) & {'__pycache__', *without}:
            digest.update(f'{name}\0{path.stat().st_size}\0'.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def tools(*compilers: str) -> str:
    """The versions of torch and of compilers, and the variables that compilers heed."""
    said = [
        subprocess.run([c, '--version'], capture_output=True, text=True, check=True).stdout
        for c in compilers
    ]
    heeded = [f'{variable}={os.environ.get(variable)}' for variable in VARIABLES]
    return '\0'.join([torch.__version__, *said, *heeded])


@contextmanager
def folder(kind: str, *made_from: str) -> Iterator[Path]:
    """The folder for what is made from these strings, which no other process has meanwhile."""
    key = hashlib.sha256('\0'.join(made_from).encode()).hexdigest()[:32]
    shelf = CACHE / kind
    shelf.mkdir(parents=True, exist_ok=True)
    with FileLock(shelf / f'{key}.lock'):
        found = shelf / key
        found.mkdir(exist_ok=True)
        os.utime(found)
        _clear(shelf)
        yield found


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """`path`, a file or folder. Where it is missing, `make` is given another place to make it at.

    Whatever happens to this process, `path` is there whole or not at all. Only for what is in a
    folder of `folder`.
    """
    if not path.exists():
        unfinished = path.with_name(f'unfinished-{path.name}')
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        make(unfinished)
        os.replace(unfinished, path)
    return path


def _clear(shelf: Path) -> None:
    """Remove what nobody has asked for in DAYS, unless another process asks for it now."""
    oldest = time.time() - DAYS * 24 * 3600
    for lock in shelf.glob('*.lock'):
        old = lock.with_suffix('')
        if old.is_dir() and old.stat().st_mtime < oldest:
            with suppress(Timeout), FileLock(lock, timeout=0):
                shutil.rmtree(old)
