# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether the OpenMMLab packages of this environment can work, asked before they are imported.

The original mmengine, mmcv and mmsegmentation and their maintained forks (``onedl-*``) install
into the same folders, and not every version runs with a torch that the scan op runs with. Only
what is written down about installed distributions is read, so that asking takes milliseconds.
"""

import base64
import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# the extra `openmmlab` in pyproject.toml has the same; a test compares them
FORKS = {
    'mmengine': ('onedl-mmengine', '0.10.12'),
    'mmcv': ('onedl-mmcv', '2.3.6'),
    'mmseg': ('onedl-mmsegmentation', '1.4.2'),
}
ORIGINALS = {
    'mmengine': ('mmengine',),
    'mmcv': ('mmcv', 'mmcv-lite'),
    'mmseg': ('mmsegmentation',),
}
# before it, mmengine registers torch's Adafactor a second time, and does not import
OLDEST_ORIGINAL_MMENGINE = '0.10.6'
# the original mmsegmentation refuses this mmcv and newer ones
TOO_NEW_MMCV = '2.2.0'
INSTALL = "pip install 'mmseg_remamber[openmmlab]'"


class Distribution(NamedTuple):
    """An installed distribution."""

    name: str
    version: str

    def __str__(self) -> str:
        return f'{self.name} {self.version}'

    def is_older_than(self, version: str) -> bool:
        return _release(self.version) < _release(version)


def load_mmseg() -> None:
    """Import mmseg without what its modules print as they are imported, of a package that nothing
    here needs.

    Raises:
        ImportError: as :func:`require` of mmengine, mmcv and mmseg.
    """
    require('mmengine', 'mmcv', 'mmseg')
    with contextlib.redirect_stdout(io.StringIO()):
        importlib.import_module('mmseg.datasets')


@functools.cache  # several rooms ask, and what is fine stays so; errors are not kept
def require(*modules: str) -> None:
    """Check that packages of OpenMMLab are installed in versions that work, importing none.

    A module that no known distribution has put there (a folder on ``PYTHONPATH``, say) is taken
    for what it claims to be.

    Args:
        modules: some of 'mmengine', 'mmcv' and 'mmseg'.

    Raises:
        ImportError: one for all that is wrong, with what was found and what to install.
        ValueError: for another module.
    """
    unknown = sorted(set(modules) - set(FORKS))
    if unknown:
        raise ValueError(f'modules must be some of {list(FORKS)}, got {unknown}')
    problems = [problem for module in modules for problem in _problems(module)]
    if not problems:
        # mmcv warns of an op that nothing here needs, and mmseg of pixels that a loss might ignore:
        # here are none, and weights of classes go with its default alone
        warnings.filterwarnings('ignore', 'Fail to import ..MultiScaleDeformableAttention')
        warnings.filterwarnings('ignore', 'Default ``avg_non_ignore`` is False')
        return
    found = [d for module in modules for d in _installed(ORIGINALS[module])]
    lines = ['mmseg_remamber cannot work with what is installed:', *(f'- {p}' for p in problems)]
    if found:
        names = ', '.join(str(d) for d in found)
        lines.append(
            f'Install the maintained forks in a new environment: in this one they would overwrite '
            f'files of {names}.'
        )
    else:
        lines.append('Install the maintained forks, or upgrade them:')
    lines.append(f'    {INSTALL}')
    raise ImportError('\n'.join(lines))


def _problems(module: str) -> list[str]:
    fork, oldest = FORKS[module]
    forks, originals = _installed([fork]), _installed(ORIGINALS[module])
    if forks:
        if forks[0].is_older_than(oldest):
            return [f'{forks[0]} is too old: {fork}>={oldest} is needed']
        if not _is_intact(fork, module):
            again = f'pip install --force-reinstall --no-deps {fork}=={forks[0].version}'
            return [f'files of {forks[0]} were overwritten or removed; put them back by: {again}']
        return []
    if originals:
        return _problems_of_original(module, originals[0])
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        return [f'{module} is not installed']
    return []


def _problems_of_original(module: str, original: Distribution) -> list[str]:
    if module == 'mmengine' and original.is_older_than(OLDEST_ORIGINAL_MMENGINE):
        return [f'{original} does not import beside this torch and transformers']
    if module == 'mmseg':
        # its own imports ask for compiled ops, which the forks do without
        mmcv = (_installed([FORKS['mmcv'][0]]) or _installed(ORIGINALS['mmcv']) or [None])[0]
        if mmcv is not None and not mmcv.is_older_than(TOO_NEW_MMCV):
            return [f'{original} refuses mmcv >= {TOO_NEW_MMCV}, and {mmcv} is installed']
        if mmcv is not None and not _has_compiled_ops():
            return [f'{original} imports the compiled ops of mmcv, which {mmcv} lacks']
    return []


def _installed(names: Sequence[str]) -> list[Distribution]:
    found = []
    for name in names:
        try:
            found.append(Distribution(name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _has_compiled_ops() -> bool:
    spec = importlib.util.find_spec('mmcv')
    return spec is not None and any(Path(spec.origin).parent.glob('_ext*'))


def _is_intact(distribution: str, module: str) -> bool:
    """Whether a file that every version has is there, as the distribution installed it.

    Installing the original after its fork overwrites the fork's files, uninstalling it removes
    them, and neither changes what is written down about the fork.
    """
    for file in importlib.metadata.files(distribution) or ():
        if file.as_posix() == f'{module}/version.py' and file.hash is not None:
            path = Path(file.locate())
            return path.is_file() and _digest(path, file.hash.mode) == file.hash.value
    return True


def _digest(path: Path, algorithm: str) -> str:
    """Hash of a file as RECORD files of wheels write it."""
    digest = hashlib.new(algorithm, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b'=').decode()


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', re.match(r'[\d.]*', version)[0]))
