# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of the REFER layout, read strictly: plain data only, every problem named."""

import json
import pickle
from pathlib import Path
from typing import BinaryIO

# What a pickled numpy number needs; some REFER files were written from numpy arrays.
_ADMITTED = {
    ('numpy', 'dtype'),
    ('numpy.core.multiarray', 'scalar'),
    ('numpy._core.multiarray', 'scalar'),
    ('_codecs', 'encode'),
}
# what a damaged pickle raises
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)


class _PlainUnpickler(pickle.Unpickler):
    """Numbers, strings and containers; whatever could run code is refused."""

    def find_class(self, module: str, name: str):
        if (module, name) in _ADMITTED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f'{module}.{name} is not plain data')


def load_refs(path: Path) -> list[dict]:
    """Read ``refs(<split_by>).p``: one dict for each ref, of Python 2 or 3.

    Raises:
        FileNotFoundError: No such file; names the ``split_by`` values that are there.
        ValueError: Not a list of refs, or a pickle that holds more than plain data.
    """
    if not path.is_file():
        present = sorted(p.name[len('refs(') : -len(').p')] for p in path.parent.glob('refs(*).p'))
        raise FileNotFoundError(f'no refs file {path}; split_by there: {present}')
    with path.open('rb') as file:
        try:
            try:
                refs = _unpickle(file, 'utf-8')
            except UnicodeDecodeError:  # Python 2 strings that are not UTF-8
                refs = _unpickle(file, 'latin1')
        except _DAMAGE as e:
            raise ValueError(f'{path} is not a refs file: {e}') from e
    if not isinstance(refs, list) or not all(isinstance(ref, dict) for ref in refs):
        raise ValueError(f'{path} is not a refs file: expected a list of dicts')
    return refs


def _unpickle(file: BinaryIO, encoding: str):
    file.seek(0)
    return _PlainUnpickler(file, encoding=encoding).load()


def load_instances(path: Path) -> tuple[dict[int, dict], dict[int, dict]]:
    """Read ``instances.json`` -> images and annotations, each by id.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not JSON, or without ``images`` or ``annotations``.
    """
    if not path.is_file():
        raise FileNotFoundError(f'no annotation file {path}')
    try:
        instances = json.loads(path.read_text(encoding='utf-8'))
        images, annotations = instances['images'], instances['annotations']
    except (json.JSONDecodeError, KeyError, TypeError) as e:
        raise ValueError(f'{path} is not an instances file: {e!r}') from e
    return {i['id']: i for i in images}, {a['id']: a for a in annotations}
