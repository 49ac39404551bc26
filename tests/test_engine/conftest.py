# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest

from mmseg_remamber.datasets.refshapes import write_refshapes


@pytest.fixture(scope='session')
def shapes(tmp_path_factory):
    """A RefShapes of a few small scenes."""
    folder = tmp_path_factory.mktemp('refshapes')
    write_refshapes(folder, dict(train=5, val=3, test=1, testC=1), size=64, seed=5)
    return folder
