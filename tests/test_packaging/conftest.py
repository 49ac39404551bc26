# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The wheel, built once a session."""

import email
import tarfile
import zipfile

import pytest
from built import SOURCES, build

from mmseg_remamber.version import __version__


@pytest.fixture(scope='session')
def source(root, tmp_path_factory):
    """What an sdist of the checkout unpacks to, an earlier build of a file since removed in it."""
    # linked, so that what the build writes beside the sources stays out of the checkout
    checkout, out = tmp_path_factory.mktemp('checkout'), tmp_path_factory.mktemp('sdist')
    for path in root.iterdir():
        if path.name in SOURCES or (path.is_file() and path.name[0] != '.'):
            (checkout / path.name).symlink_to(path)
    build('sdist', checkout, out)
    (archive,) = out.glob('*.tar.gz')
    with tarfile.open(archive) as tar:
        tar.extractall(out, filter='data')
    source = out / archive.name.removesuffix('.tar.gz')
    for stale in ('stale.py', '.mim/configs/stale.py'):
        path = source / 'build' / 'lib' / 'mmseg_remamber' / stale
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return source


@pytest.fixture(scope='session')
def wheel(source, tmp_path_factory):
    """The folder that a wheel of the sdist unpacks to."""
    out = tmp_path_factory.mktemp('wheel')
    build('wheel', source, out)
    (archive,) = out.glob('*.whl')
    assert archive.name == f'mmseg_remamber-{__version__}-py3-none-any.whl'
    with zipfile.ZipFile(archive) as content:
        content.extractall(out / 'installed')
    return out / 'installed'


@pytest.fixture(scope='session')
def metadata(wheel):
    (path,) = wheel.glob('*.dist-info/METADATA')
    return email.message_from_string(path.read_text())
