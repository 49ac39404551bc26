# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Give an environment the three operators of mmcv that Mask R-CNN calls.

    python tests/downstream/mmcv_ops/install.py

All of mmcv's take half an hour of two cores, these one minute. The wheel is kept in the user's
cache, by the versions it was built for, so that another environment takes it from there. An mmcv
with operators of its own is left as it is.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = ('setup.py', 'binding.cpp')
PIP = (sys.executable, '-m', 'pip')


def cache_folder() -> Path:
    """Where the wheel for this environment is kept."""
    made_of = [version('onedl-mmcv'), version('torch'), sys.version, platform.machine()]
    made_of += [(HERE / name).read_text() for name in SOURCES]
    key = hashlib.sha256('\n'.join(made_of).encode()).hexdigest()[:16]
    root = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(root) / 'mmseg_remamber' / 'wheels' / key


def build(folder: Path) -> None:
    """Build the wheel into a folder, which appears when it is whole."""
    print('== Three operators of mmcv (about a minute of one core)')
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        mmcv = f'onedl-mmcv=={version("onedl-mmcv")}'
        options = ('--no-deps', '--no-binary=:all:', '--no-build-isolation')
        subprocess.run([*PIP, 'download', '-q', *options, '-d', scratch, mmcv], check=True)
        (archive,) = scratch.glob('*.tar.gz')
        with tarfile.open(archive) as tar:
            tar.extractall(scratch / 'mmcv', filter='data')
        (sources,) = (scratch / 'mmcv').iterdir()
        project = scratch / 'project'
        project.mkdir()
        for name in SOURCES:
            shutil.copy(HERE / name, project)
        wheel = ('wheel', '-q', '--no-deps', '--no-build-isolation', '-w', scratch / 'wheel')
        env = {**os.environ, 'MMCV_SOURCES': str(sources)}
        subprocess.run([*PIP, *wheel, project], check=True, env=env)
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent))
        shutil.copytree(scratch / 'wheel', part, dirs_exist_ok=True)
        try:
            part.rename(folder)
        except OSError:  # another process was sooner
            shutil.rmtree(part)


def main() -> None:
    if importlib.util.find_spec('mmcv._ext') is not None:
        print('== mmcv has compiled operators already')
        return
    folder = cache_folder()
    if not list(folder.glob('*.whl')):
        build(folder)
    (wheel,) = folder.glob('*.whl')
    subprocess.run([*PIP, 'install', '-q', '--no-deps', wheel], check=True)


if __name__ == '__main__':
    main()
