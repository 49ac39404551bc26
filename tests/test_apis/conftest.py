# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import tiny_model


@pytest.fixture(scope='session')
def scenes(tmp_path_factory):
    return tiny_model.write_scenes(tmp_path_factory.mktemp('scenes'))


@pytest.fixture(scope='session')
def tiny_checkpoint(tmp_path_factory, scenes):
    return tiny_model.write_checkpoint(tmp_path_factory.mktemp('model') / 'tiny.pth', scenes)
