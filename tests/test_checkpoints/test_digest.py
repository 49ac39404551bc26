# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import hashlib

import pytest

from mmseg_remamber.checkpoints.digest import sha256_of_file


@pytest.mark.parametrize('size', [0, 1, 2**20, 2**20 + 1])
def test_blocks_make_the_digest_of_the_whole(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + b'x' * (size % 256)
    path = tmp_path / 'file'
    path.write_bytes(content)
    assert sha256_of_file(path) == hashlib.sha256(content).hexdigest()
