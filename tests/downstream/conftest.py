# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Tests that need mmdet and mmpretrain, in the environment that `make downstream` makes."""

from importlib.util import find_spec

import pytest
import stand_ins

MISSING = [name for name in ('mmdet', 'mmpretrain') if find_spec(name) is None]


@pytest.fixture(scope='session', autouse=True)
def _toolboxes(_register_modules):
    """Both toolboxes are imported, or every test says that it is skipped and why."""
    if MISSING:
        pytest.skip(f'{" and ".join(MISSING)} not installed: make downstream runs these tests')
    stand_ins.import_mmpretrain()
