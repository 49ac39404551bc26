# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Finding configs by the names of models."""

import difflib
from pathlib import Path

import mmengine

import mmseg_remamber

_INDEX = 'model-index.yml'


def config_folder() -> Path:
    """``configs`` of the checkout, or of the installed package where mim puts it.

    Raises:
        FileNotFoundError: when there is neither.
    """
    package = Path(mmseg_remamber.__file__).parent
    for folder in (package.parent, package / '.mim'):
        if (folder / _INDEX).is_file() and (folder / 'configs').is_dir():
            return folder / 'configs'
    raise FileNotFoundError(f'no configs beside {package}: give the path of a config')


def named_configs() -> dict[str, Path]:
    """The configs of models by name.

    First come those of the metafiles, under the names and in the order that these give them; then
    the others, the ablations, under the names of their files.

    Raises:
        FileNotFoundError: when there is no folder of configs.
    """
    root = config_folder().parent
    listed = {}
    for metafile in mmengine.load(root / _INDEX)['Import']:
        for model in mmengine.load(root / metafile)['Models']:
            listed[model['Name']] = root / model['Config']
    files = sorted((root / 'configs').rglob('*.py'))
    others = {
        file.stem: file
        for file in files
        if '_base_' not in file.parts and file not in listed.values() and file.stem not in listed
    }
    return listed | others


def find_config(name: str) -> Path:
    """Path of the config of a model.

    Args:
        name: a model of a metafile, the name of a config's file without ``.py``, or a path.

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
