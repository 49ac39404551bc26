# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import gc
import logging

import pytest
from mmengine.logging import MMLogger
from refer_folder import Folder


@pytest.fixture(autouse=True, scope='session')
def _quick_collection():
    """mmengine collects garbage after each dataset it reads; torch's objects are not looked at."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def log():
    """Messages of mmengine's logger, each a string."""
    messages = []

    class Keep(logging.Handler):
        def emit(self, record):
            messages.append(record.getMessage())

    logger, handler = MMLogger.get_current_instance(), Keep()
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)
