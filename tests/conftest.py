# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import gc
import itertools
import os
import runpy
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_model
import tracing

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers of ``--dist loadfile`` take the files with slow tests first, so that none begins with
    minutes of work when the others are done."""
    if hasattr(config, 'workerinput'):
        slow = Counter(item.path for item in items if item.get_closest_marker('slow'))
        items.sort(key=lambda item: -slow[item.path])


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
    # each dataset collects garbage when it is made, and need not look through all of torch for it
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope='session')
def _runs_named_apart():
    """mmengine names a run by the second that it starts in, and runs of one name share a log."""
    from mmengine.runner import Runner

    numbers = itertools.count()
    setup_env = Runner.setup_env

    def named_apart(self, env_cfg):
        setup_env(self, env_cfg)
        self._timestamp += f'_{next(numbers):04d}'

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, 'setup_env', named_apart)
        yield


@pytest.fixture(autouse=True, scope='session')
def _configs_formatted_once():
    """A run formats its config five times, which takes longer than training a tiny model."""
    from yapf.yapflib import yapf_api

    formatted = {}
    format_code = tracing.untraced(yapf_api.FormatCode)

    def remember(text, **options):
        key = (text, repr(options))
        if key not in formatted:
            formatted[key] = format_code(text, **options)
        return formatted[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf_api, 'FormatCode', remember)
        yield


@pytest.fixture(autouse=True, scope='session')
def _torch_exports_untraced():
    """Coverage looks away where torch captures, translates, writes and reads graphs."""
    import torch

    with pytest.MonkeyPatch.context() as patch:
        for room, names in ((torch.export, ('export', 'save', 'load')), (torch.onnx, ('export',))):
            for name in names:
                patch.setattr(room, name, tracing.untraced(getattr(room, name)))
        yield


@pytest.fixture
def untraced():
    """Coverage looks away during a test, of what ``torch.compile`` makes of a graph."""
    with tracing.paused():
        yield


@pytest.fixture(scope='session')
def script(root) -> Callable[..., dict]:
    """Runs a script of the repository in this process, as a user does in one of its own.

    Called with its path from the repository and its arguments, it returns the script's names.
    """

    def call(path: str, *arguments: object) -> dict:
        argv, cwd = sys.argv, os.getcwd()
        sys.argv = [path, *map(str, arguments)]
        os.chdir(root)
        try:
            return runpy.run_path(path, run_name='__main__')
        finally:
            sys.argv = argv
            os.chdir(cwd)

    return call


@pytest.fixture(autouse=True)
def _seeded():
    """A test draws the same numbers in every run, whichever tests ran before it."""
    import torch

    torch.manual_seed(0)


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
