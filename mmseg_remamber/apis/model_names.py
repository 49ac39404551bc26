# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Finding a model by its name, and the one that the quickstart trained."""

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


def find_config(name: str) -> Path:
    """Path of the config of a model, which metafiles name by the config's file name.

    Raises:
        FileNotFoundError: when there is no such path and no such name; the nearest are listed.
    """
    if Path(name).suffix == '.py' or len(Path(name).parts) > 1:
        if not Path(name).is_file():
            raise FileNotFoundError(f'config {name!r} does not exist')
        return Path(name)
    files = config_folder().rglob('*.py')
    known = {file.stem: file for file in files if '_base_' not in file.parts}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
        raise FileNotFoundError(f'no model is named {name!r}; there are {", ".join(close)}')
    return known[name]


def choose_model(model: str | None, checkpoint: str | None) -> tuple[str | None, str]:
    """Config and checkpoint of a command: what it was given, else the quickstart's checkpoint.

    Raises:
        FileNotFoundError: when nothing is given and the quickstart has not run.
        ValueError: when a model is given without its weights.
    """
    if model is not None and checkpoint is None:
        raise ValueError(
            f'--model {model} needs --checkpoint: the masks of untrained weights mean nothing'
        )
    return model, str(quickstart_checkpoint()) if checkpoint is None else checkpoint


def quickstart_checkpoint() -> Path:
    """The checkpoint that ``make quickstart`` left, here or in the checkout.

    Raises:
        FileNotFoundError: when there is none.
    """
    roots = (Path(), Path(mmseg_remamber.__file__).parents[1])
    for root in roots:
        work = root / 'quickstart' / 'work'
        if (work / 'last_checkpoint').is_file():
            # by name, as the folder may have been moved
            return work / Path((work / 'last_checkpoint').read_text().strip()).name
    raise FileNotFoundError(
        'no model given, and quickstart/work has none: give --checkpoint (and --model where the '
        'checkpoint carries no config), or run `make quickstart` first'
    )
