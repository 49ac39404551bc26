# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The SHA-256 of a file, whatever its size."""

import hashlib
from pathlib import Path

_BLOCK = 1 << 20  # bytes


def sha256_of_file(path: str | Path) -> str:
    """Hex digest of a file's content, read in blocks of 1 MiB.

    Raises:
        FileNotFoundError: No such file.
    """
    # hashlib.file_digest does the same from Python 3.11 on
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
