# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a wheel of the package holds, and what it asks for. tests/smoke/wheel.sh installs one."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from built import SOURCES, build, files_below

from mmseg_remamber.version import __version__


def test_the_wheel_holds_the_package_and_the_checkouts_folders(root, wheel):
    package = wheel / 'mmseg_remamber'
    mim = {file for file in files_below(package) if file.startswith('.mim/')}
    assert files_below(package) - mim == files_below(root / 'mmseg_remamber')
    expected = {f'.mim/{name}/{file}' for name in SOURCES[1:] for file in files_below(root / name)}
    assert mim == expected | {'.mim/model-index.yml'}
    assert 'py.typed' in files_below(package)
    for file in mim:
        shipped = (package / file).read_bytes()
        assert shipped == (root / file.removeprefix('.mim/')).read_bytes(), file


def test_the_wheel_holds_nothing_else(wheel):
    folders = {path.name for path in wheel.iterdir()}
    assert folders == {'mmseg_remamber', f'mmseg_remamber-{__version__}.dist-info'}


def test_the_licence_is_in(root, wheel, metadata):
    (licence,) = wheel.glob('*.dist-info/licenses/LICENSE')
    assert licence.read_bytes() == (root / 'LICENSE').read_bytes()
    assert metadata['License-Expression'] == 'Apache-2.0'


def test_the_forks_are_asked_for_by_extras_alone(metadata):
    assert metadata['Version'] == __version__
    assert set(metadata.get_all('Provides-Extra')) == {
        'openmmlab', 'classification', 'detection', 'demo', 'export', 'plots', 'dev',
    }  # fmt: skip
    forks = [line for line in metadata.get_all('Requires-Dist') if line.startswith('onedl-')]
    of = [line.rpartition('; extra == ')[2] for line in forks]
    assert sorted(of) == ['"classification"', '"detection"', *['"openmmlab"'] * 3]


FIND = """
from pathlib import Path
import sys
from mmengine.config import Config
import mmseg_remamber
from mmseg_remamber.configuration.names import find_config

config = find_config(sys.argv[1])
print(config)
assert Config.fromfile(config, import_custom_modules=False).model
"""


def test_a_config_is_found_by_name_outside_the_checkout(wheel, tmp_path):
    configs = wheel / 'mmseg_remamber' / '.mim' / 'configs'
    path = next(path for path in sorted(configs.rglob('*.py')) if '_base_' not in path.parts)
    run = subprocess.run(
        [sys.executable, '-c', FIND, path.stem],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()) == path


def test_an_editable_install_copies_nothing(source, tmp_path):
    before = files_below(source / 'mmseg_remamber')
    build('editable', source, tmp_path)
    (archive,) = tmp_path.glob('*.whl')
    with zipfile.ZipFile(archive) as content:
        assert not [name for name in content.namelist() if '.mim' in name]
    assert files_below(source / 'mmseg_remamber') == before
