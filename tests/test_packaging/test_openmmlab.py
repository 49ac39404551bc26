# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What is said of OpenMMLab packages that are missing, too old, or not the forks."""

import base64
import hashlib
import re
import sys

import pytest

from mmseg_remamber import openmmlab

MODULES = ('mmengine', 'mmcv', 'mmseg')
FINE = {'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6', 'onedl-mmsegmentation': '1.4.2'}
ORIGINAL = {'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmsegmentation': '1.2.2'}
FOLDERS = {
    'onedl-mmengine': 'mmengine', 'mmengine': 'mmengine',
    'onedl-mmcv': 'mmcv', 'mmcv': 'mmcv', 'mmcv-lite': 'mmcv',
    'onedl-mmsegmentation': 'mmseg', 'mmsegmentation': 'mmseg',
}  # fmt: skip


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An environment in which nothing is installed, and the function that installs into it."""
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    for module in MODULES:
        monkeypatch.delitem(sys.modules, module, raising=False)
    openmmlab.require.cache_clear()

    def install(distributions):
        for name, version in distributions.items():
            package = tmp_path / FOLDERS[name]
            package.mkdir(exist_ok=True)
            (package / '__init__.py').touch()
            content = f'__version__ = {version!r}'.encode()
            (package / 'version.py').write_bytes(content)
            info = tmp_path / f'{name.replace("-", "_")}-{version}.dist-info'
            info.mkdir()
            (info / 'METADATA').write_text(
                f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
            )
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=')
            (info / 'RECORD').write_text(
                f'{package.name}/__init__.py,,\n'
                f'{package.name}/version.py,sha256={digest.decode()},{len(content)}\n'
            )

    install.folder = tmp_path
    yield install
    openmmlab.require.cache_clear()


def message():
    with pytest.raises(ImportError) as caught:
        openmmlab.require(*MODULES)
    text = str(caught.value)
    assert text.endswith("pip install 'mmseg_remamber[openmmlab]'")
    return text


def test_the_forks_are_fine(site):
    site(FINE)
    openmmlab.require(*MODULES)


def test_newer_forks_are_fine(site):
    site(
        {'onedl-mmengine': '0.11.0rc1', 'onedl-mmcv': '2.10', 'onedl-mmsegmentation': '1.4.2.post1'}
    )
    openmmlab.require(*MODULES)


def test_missing(site):
    text = message()
    for module in MODULES:
        assert f'- {module} is not installed' in text
    assert 'new environment' not in text  # there is nothing to spoil in this one


def test_only_what_is_asked_for_is_checked(site):
    site({'mmengine': '0.10.7'})
    openmmlab.require('mmengine')  # VMamba needs no more, and works with it
    with pytest.raises(ImportError, match=r'- mmcv is not installed\n(?!-)'):
        openmmlab.require('mmengine', 'mmcv')


def test_a_folder_without_metadata_is_taken_for_what_it_claims(site):
    site({'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6'})
    (site.folder / 'mmseg').mkdir()
    (site.folder / 'mmseg' / '__init__.py').touch()
    openmmlab.require(*MODULES)


def test_originals(site):
    site(ORIGINAL)
    text = message()
    assert (
        '- mmsegmentation 1.2.2 imports the compiled ops of mmcv, which mmcv-lite 2.1.0 lacks'
    ) in text
    assert 'in a new environment' in text
    assert 'overwrite files of mmengine 0.10.7, mmcv-lite 2.1.0, mmsegmentation 1.2.2' in text


def test_mmsegmentation_beside_an_mmcv_that_it_refuses(site):
    site({'mmengine': '0.10.7', 'mmcv': '2.2.0', 'mmsegmentation': '1.2.2'})
    assert 'mmsegmentation 1.2.2 refuses mmcv >= 2.2.0, and mmcv 2.2.0 is installed' in message()


def test_an_mmengine_that_does_not_import(site):
    site({'mmengine': '0.10.5'})
    with pytest.raises(ImportError, match=r'mmengine 0\.10\.5 does not import beside this torch'):
        openmmlab.require('mmengine')


@pytest.mark.parametrize(
    'name, version',
    [
        ('onedl-mmengine', '0.10.9'),
        ('onedl-mmcv', '2.3.2.post2'),
        ('onedl-mmsegmentation', '1.3.3'),
    ],
)
def test_a_fork_too_old(site, name, version):
    site(FINE | {name: version})
    text = message()
    assert f'- {name} {version} is too old: {name}>={FINE[name]} is needed' in text
    assert text.count('\n- ') == 1
    assert 'new environment' not in text


def test_a_fork_whose_files_were_overwritten(site):
    site(FINE)
    site({'mmcv-lite': '2.1.0'})
    text = message()
    assert 'files of onedl-mmcv 2.3.6 were overwritten or removed' in text
    assert 'pip install --force-reinstall --no-deps onedl-mmcv==2.3.6' in text


def test_a_fork_whose_files_were_removed(site):
    site(FINE)
    (site.folder / 'mmseg' / 'version.py').unlink()
    assert 'files of onedl-mmsegmentation 1.4.2 were overwritten or removed' in message()


def test_a_fork_over_an_original_works(site):
    site(ORIGINAL)
    site(FINE)
    openmmlab.require(*MODULES)


def test_unknown_modules_are_refused():
    with pytest.raises(ValueError, match=re.escape("got ['mmdet']")):
        openmmlab.require('mmengine', 'mmdet')
