# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Finding configs by their names."""

import difflib
from pathlib import Path

import mmseg_remamber


def config_folder() -> Path:
    """``configs`` of the checkout, or of the installed package where mim puts it.

    Raises:
        FileNotFoundError: when there is neither.
    """
    package = Path(mmseg_remamber.__file__).parent
    for folder in (package.parent / 'configs', package / '.mim' / 'configs'):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f'no configs beside {package}: give the path of a config')


def named_configs() -> dict[str, Path]:
    """The configs of models by name, in order of their paths.

    Raises:
        FileNotFoundError: when there is no folder of configs.
    """
    files = sorted(config_folder().rglob('*.py'))
    return {file.stem: file for file in files if '_base_' not in file.parts}


def find_config(name: str) -> Path:
    """Path of the config of a model, which metafiles name by the config's file name.

    Raises:
        FileNotFoundError: when there is no such path and no such name; the nearest are listed.
    """
    if Path(name).suffix == '.py' or len(Path(name).parts) > 1:
        if not Path(name).is_file():
            raise FileNotFoundError(f'config {name!r} does not exist')
        return Path(name)
    known = named_configs()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
        raise FileNotFoundError(f'no model is named {name!r}; there are {", ".join(close)}')
    return known[name]
