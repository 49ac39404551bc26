# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Building the package by its backend."""

import subprocess
import sys
from pathlib import Path

SOURCES = ('mmseg_remamber', 'configs', 'tools')
BUILD = (
    'import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])'
)


def build(kind: str, source: Path, out: Path) -> None:
    """Call one of the build backend's functions, as pip does, without network or isolation."""
    run = subprocess.run(
        [sys.executable, '-c', BUILD, f'build_{kind}', str(out)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
