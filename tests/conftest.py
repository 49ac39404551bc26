# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import tiny_model

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope='session', autouse=True)
def _register_modules():
    """Every test sees the registries filled, in mmseg's scope, as a config would have it."""
    from mmseg.utils import register_all_modules

    import mmseg_remamber.register  # noqa: F401

    register_all_modules(init_default_scope=True)


@pytest.fixture(autouse=True, scope='session')
def _cache_folder(tmp_path_factory):
    """Checked annotations of tests do not go to the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='session')
def realdata() -> Path:
    """Real photographs in the REFER layout, where the checkout has them beside it."""
    path = ROOT.parent / 'shared' / 'realdata'
    if not path.is_dir():
        pytest.skip('real data is not beside this checkout (../shared/realdata)')
    return path


@pytest.fixture(scope='session')
def scenes(tmp_path_factory) -> Path:
    """A RefShapes of a few scenes."""
    return tiny_model.write_scenes(tmp_path_factory.mktemp('scenes'))


@pytest.fixture(scope='session')
def tiny_checkpoint(tmp_path_factory, scenes) -> Path:
    """A checkpoint as training leaves it, of random weights."""
    return tiny_model.write_checkpoint(tmp_path_factory.mktemp('model') / 'tiny.pth', scenes)
