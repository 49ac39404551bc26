# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads files of the REFER layout strictly: plain data only, every problem named."""

import io
import json
import pickle
import reprlib
import struct
from pathlib import Path

import numpy as np

from mmseg_remamber.checkpoints.pickled_numbers import NumberType, read_number

SUFFIXES = ('.p', '.json')
ID_TYPES = (int, str)  # of images and annotations; RefCLEF numbers annotations by text


# All that a pickle may ask for. Some REFER files were written from numpy arrays; and protocol 2
# spells bytes as _codecs.encode(text, 'latin1').
_ADMITTED = {
    ('numpy', 'dtype'): NumberType,
    ('numpy.core.multiarray', 'scalar'): read_number,
    ('numpy._core.multiarray', 'scalar'): read_number,
    ('_codecs', 'encode'): str.encode,
}
# what damaged files raise
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class _PlainUnpickler(pickle._Unpickler):
    """Reads numbers, strings and containers; refuses whatever could run code.

    It is the standard library's unpickler in Python, four times slower than the one in C: that
    reserves as much memory as a damaged file tells it to.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str):
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f'it asks for {module}.{name}, which is not plain data; refused, nothing was run'
            )
        return _ADMITTED[module, name]

    def load_build(self):
        # would set attributes of whatever lies on the stack, the functions above among it
        if type(self.stack[-2]) is not NumberType:
            raise pickle.UnpicklingError('it sets the state of an object that is not plain data')
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build


def find_refs(folder: Path, split_by: str, *, stem: str = 'refs') -> Path:
    """Find the refs file of a dataset folder: ``<stem>(<split_by>).p``, or else ``.json``.

    Args:
        folder: Folder of ``instances.json``.
        split_by: Whose split: 'unc', 'umd', ...
        stem: 'refs'; gRefCOCO's is 'grefs'.

    Raises:
        FileNotFoundError: Neither is there; names the ``split_by`` values that are.
    """
    folder = Path(folder)
    for suffix in SUFFIXES:
        path = folder / f'{stem}({split_by}){suffix}'
        if path.is_file():
            return path
    present = sorted(
        {p.stem[len(stem) + 1 : -1] for p in folder.glob(f'{stem}(*).*') if p.suffix in SUFFIXES}
    )
    raise FileNotFoundError(
        f'no refs file {folder / stem}({split_by}).p or .json; split_by there: {present}'
    )


def load_refs(path: Path) -> list[dict]:
    """Read a refs file, ``.p`` (of Python 2 or 3) or ``.json``: one dict for each ref.

    Numpy numbers in a pickle become Python's.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a list of refs, or a pickle that holds more than plain data: the message
            names what it asked for.
    """
    path = Path(path)
    _check_suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f'no refs file {path}')
    try:
        refs = _load_json(path) if path.suffix == '.json' else _load_pickle(path)
    except _DAMAGE as e:
        raise ValueError(f'{path} is not a refs file: {type(e).__name__}: {e}') from e
    if not isinstance(refs, list):
        raise ValueError(f'{path} is not a refs file: it is no list, {reprlib.repr(refs)}')
    for position, ref in enumerate(refs):
        if not isinstance(ref, dict):
            raise ValueError(
                f'{path} is not a refs file: the ref at position {position} is no dict, '
                f'{reprlib.repr(ref)}'
            )
    return refs


def save_refs(refs: list[dict], path: Path) -> None:
    """Write a refs file, by its suffix: ``.p`` (pickle protocol 2, as REFER's) or ``.json``.

    Numpy numbers and tuples become Python numbers and lists, so that both files hold the same.

    Raises:
        ValueError: Another suffix, or values that are not plain data.
    """
    path = Path(path)
    _check_suffix(path)
    try:
        refs = _plain(refs)
    except (TypeError, RecursionError) as e:
        raise ValueError(f'{path}: refs must be plain data: {e}') from e
    if path.suffix == '.json':
        path.write_text(json.dumps(refs), encoding='utf-8')
    else:
        path.write_bytes(pickle.dumps(refs, protocol=2))


def load_instances(
    path: Path, *, strict: bool = True
) -> tuple[dict[int | str, dict], dict[int | str, dict]]:
    """Read ``instances.json`` -> images and annotations, each by id.

    Args:
        path: The file.
        strict: False leaves out the records that have no id of their own, in place of an error.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not JSON, without ``images`` or ``annotations``, or (when strict) a record
            that is not a dict, has no id (int or str), or has the id of another.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no annotation file {path}')
    try:
        instances = _load_json(path)
    except (ValueError, RecursionError) as e:
        raise ValueError(f'{path} is not an instances file: {e}') from e
    if not isinstance(instances, dict):
        raise ValueError(f'{path} is not an instances file: it is no dict')
    for key in ('images', 'annotations'):
        if not isinstance(instances.get(key), list):
            raise ValueError(f'{path} is not an instances file: it has no list {key!r}')
    return (
        _by_id(instances['images'], f'image of {path}', strict),
        _by_id(instances['annotations'], f'annotation of {path}', strict),
    )


def in_split(ref_split: str, split: str) -> bool:
    """Whether a ref of split ``ref_split`` belongs to ``split``, by the REFER data's rules.

    A ref of 'testAB' is in testA, in testB and in 'testAB'; 'test' is every split whose name
    has 'test' in it; 'train', 'val' and whatever else mean themselves.

    >>> [in_split('testAB', split) for split in ('testA', 'testB', 'testC', 'testAB', 'test')]
    [True, True, False, True, True]
    """
    if split in ('testA', 'testB', 'testC'):
        return ref_split.startswith('test') and split[-1] in ref_split[len('test') :]
    if split == 'test':
        return 'test' in ref_split
    return ref_split == split


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise ValueError(f'a refs file ends in one of {SUFFIXES}, got {path}')


def _load_json(path: Path):
    return json.loads(path.read_text(encoding='utf-8'))


def _load_pickle(path: Path):
    data = path.read_bytes()
    try:
        return _PlainUnpickler(io.BytesIO(data), encoding='utf-8').load()
    except UnicodeDecodeError:  # Python 2 strings that are not UTF-8
        return _PlainUnpickler(io.BytesIO(data), encoding='latin1').load()


def _plain(value):
    """Convert to containers of Python's own numbers and strings.

    Raises:
        TypeError: There is something else among them.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: _plain(v) for key, v in value.items()}
    raise TypeError(
        f'{reprlib.repr(value)} is neither a number, a string, a list nor a dict of string keys'
    )


def _by_id(records: list, what: str, strict: bool) -> dict[int | str, dict]:
    by_id: dict[int | str, dict] = {}
    ambiguous = set()
    for position, record in enumerate(records):
        record_id = record.get('id') if type(record) is dict else None
        if type(record_id) not in ID_TYPES:
            if strict:
                raise ValueError(
                    f'{what}: record {position} has no id (int or str): {reprlib.repr(record)}'
                )
        elif record_id in by_id:
            if strict:
                raise ValueError(f'{what}: duplicate id {record_id} (record {position})')
            ambiguous.add(record_id)
        else:
            by_id[record_id] = record
    for record_id in ambiguous:  # nobody can say which is meant
        del by_id[record_id]
    return by_id
