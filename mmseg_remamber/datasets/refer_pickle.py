# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Reading refs(<split_by>).p, a pickle from the web, without running what it may contain."""

import pickle
from pathlib import Path


class _PlainUnpickler(pickle.Unpickler):
    """Admits numbers, strings, lists and dicts only, which need no class to be found."""

    def find_class(self, module: str, name: str):
        raise pickle.UnpicklingError(f'it asks for {module}.{name}')


def read_refs(path: str | Path) -> list[dict]:
    """The refs of a REFER pickle, of Python 2 or 3.

    Raises:
        FileNotFoundError: when the file does not exist; names the split files beside it.
        ValueError: when it is not a pickle of plain data, or not a list of refs.
    """
    path = Path(path)
    if not path.is_file():
        present = sorted(p.name for p in path.parent.glob('refs(*).p'))
        raise FileNotFoundError(f'{str(path)!r} does not exist; the folder has {present}')
    with path.open('rb') as file:
        try:
            refs = _PlainUnpickler(file, encoding='utf-8').load()
        except (pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError) as error:
            raise ValueError(f'{str(path)!r} is not a pickle of plain data: {error}') from error
    if not isinstance(refs, list) or not all(isinstance(ref, dict) for ref in refs):
        raise ValueError(f'{str(path)!r} does not hold a list of refs')
    return refs
