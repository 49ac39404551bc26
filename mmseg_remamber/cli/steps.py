# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands made of other commands."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path


class Steps:
    """Runs tools of the repository one after another, each announced.

    Args:
        root: The repository.
        total: How many steps there are.
    """

    def __init__(self, root: Path, total: int):
        self.root, self.total, self.number = root, total, 0

    def begin(self, title: str, expectation: str) -> None:
        """Announce the next step and how long it takes."""
        self.number += 1
        print(f'\n== [{self.number}/{self.total}] {title} ({expectation})', flush=True)

    def call(self, script: str, *arguments: object) -> float:
        """Run a script of ``tools/`` as a user would, and return its seconds.

        Raises:
            SystemExit: It failed, and has said why; with its status.
        """
        command = [sys.executable, f'tools/{script}', *map(str, arguments)]
        print('$ python ' + shlex.join(command[1:]), flush=True)
        # the tools import the checkout, whether or not it is installed
        paths = [str(self.root), *filter(None, [os.environ.get('PYTHONPATH')])]
        start = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.root,
            check=False,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths)},
        )
        if done.returncode:
            raise SystemExit(done.returncode)
        return time.monotonic() - start
