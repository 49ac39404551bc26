# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Refs files both ways, what the unpickler refuses, damaged bytes."""

import collections
import datetime
import json
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refer_folder import Folder

from mmseg_remamber.datasets.refer.reader import (
    find_refs,
    in_split,
    load_instances,
    load_refs,
    save_refs,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
REFS = st.lists(st.dictionaries(st.text(), PLAIN, max_size=4), max_size=4)


@settings(max_examples=60, deadline=None)
@given(refs=REFS)
def test_pickle_and_json_hold_the_same(refs, tmp_path_factory):
    folder = tmp_path_factory.mktemp('refs')
    save_refs(refs, folder / 'refs(a).p')
    again = load_refs(folder / 'refs(a).p')
    save_refs(again, folder / 'refs(a).json')
    assert refs == again == load_refs(folder / 'refs(a).json')


def test_saved_pickle_is_of_protocol_2(tmp_path):
    save_refs([dict(ref_id=np.int64(3), sent_ids=(1, np.uint8(2)))], tmp_path / 'refs(a).p')
    data = (tmp_path / 'refs(a).p').read_bytes()
    assert data[:2] == b'\x80\x02'
    assert pickle.loads(data) == [dict(ref_id=3, sent_ids=[1, 2])]
    assert b'numpy' not in data


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_of_numpy_become_pythons(tmp_path, protocol):
    numbers = [np.int64(-3), np.uint8(7), np.float32(0.5), np.bool_(True), np.dtype('>i4').type(9)]
    (tmp_path / 'refs(a).p').write_bytes(pickle.dumps([dict(numbers=numbers)], protocol=protocol))
    (ref,) = load_refs(tmp_path / 'refs(a).p')
    assert ref['numbers'] == [-3, 7, 0.5, True, 9]
    assert [type(n) for n in ref['numbers']] == [int, int, float, bool, int]


def test_numbers_in_the_other_byte_order(tmp_path):
    """Of a file written on such a machine: the type's state names the order."""
    data = pickle.dumps([dict(n=np.int64(1))], protocol=2)
    assert data.count(b'<') == 1 and b'\x01' + bytes(7) in data
    data = data.replace(b'<', b'>').replace(b'\x01' + bytes(7), bytes(7) + b'\x01')
    (tmp_path / 'refs(a).p').write_bytes(data)
    assert load_refs(tmp_path / 'refs(a).p') == [dict(n=1)]


def test_find_refs_prefers_the_pickle(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no refs file .*refs\(me\).*there: \[\]'):
        find_refs(tmp_path, 'me')
    (tmp_path / 'refs(me).json').write_text('[]')
    assert find_refs(tmp_path, 'me').name == 'refs(me).json'
    (tmp_path / 'refs(me).p').write_text('')
    assert find_refs(tmp_path, 'me').name == 'refs(me).p'
    (tmp_path / 'grefs(unc).json').write_text('[]')
    assert find_refs(tmp_path, 'unc', stem='grefs').name == 'grefs(unc).json'
    with pytest.raises(FileNotFoundError, match=r"there: \['me'\]"):
        find_refs(tmp_path, 'unc')


def test_in_split():
    splits = ('train', 'val', 'test', 'testA', 'testB', 'testC', 'testAB', 'testBC')
    belong = {split: [s for s in splits if in_split(s, split)] for split in splits}
    assert belong == dict(
        train=['train'],
        val=['val'],
        test=['test', 'testA', 'testB', 'testC', 'testAB', 'testBC'],
        testA=['testA', 'testAB'],
        testB=['testB', 'testAB', 'testBC'],
        testC=['testC', 'testBC'],
        testAB=['testAB'],
        testBC=['testBC'],
    )


# --- What is refused ------------------------------------------------------------------------------


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    'thing, named',
    [
        (Call(os.system, 'touch harm'), f'{os.name}.system'),
        (Call(eval, '1'), 'builtins.eval'),
        (Call(getattr, 'a', 'upper'), 'builtins.getattr'),
        (collections.OrderedDict(a=1), 'collections.OrderedDict'),
        (datetime.date(2026, 1, 1), 'datetime.date'),
        (np.zeros(2), r'numpy\.\w+\.multiarray.\w+'),
        (set, 'builtins.set'),
    ],
)
@pytest.mark.parametrize('protocol', [0, 2, 5])
def test_refused_by_name(tmp_path, monkeypatch, thing, named, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'refs(a).p').write_bytes(pickle.dumps([dict(a=thing)], protocol=protocol))
    named = named.replace('builtins', '(builtins|__builtin__)').replace('numpy.', 'numpy.*')
    with pytest.raises(ValueError, match=f'is not a refs file: .*({named}|_frombuffer)'):
        load_refs(tmp_path / 'refs(a).p')
    assert not (tmp_path / 'harm').exists()


@pytest.mark.parametrize(
    'data, named',
    [
        (b'c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00hextR.', "'hex'"),
        (b"cnumpy\ndtype\n(S'O'\ntR0cnumpy.core.multiarray\nscalar\n"
         b"(cnumpy\ndtype\n(S'O'\ntRS'abc'\ntR.", "'O' is not a number"),
        (b"cnumpy.core.multiarray\nscalar\n(S'a'\nS'b'\ntR.", 'code'),
        # sets attributes of what is admitted
        (b'cnumpy.core.multiarray\nscalar\n}X\x04\x00\x00\x00nameI1\nsb.', 'not plain data'),
        (b'c_codecs\nencode\n}X\x04\x00\x00\x00nameI1\nsb.', 'not plain data'),
    ],
)  # fmt: skip
def test_refused_though_made_of_admitted_names(tmp_path, data, named):
    (tmp_path / 'refs(a).p').write_bytes(data)
    with pytest.raises(ValueError, match=f'is not a refs file: .*{named}'):
        load_refs(tmp_path / 'refs(a).p')


def test_memory_is_not_reserved_on_a_files_word(tmp_path):
    """The memo number asks for room for two thousand million objects, the length for more."""
    path = tmp_path / 'refs(a).p'
    path.write_bytes(b'\x80\x02]r\xff\xff\xff\x7f.')
    assert load_refs(path) == []
    path.write_bytes(b'\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc')
    with pytest.raises(ValueError, match='is not a refs file: '):
        load_refs(path)


@pytest.mark.parametrize('values', [{1, 2}, b'bytes', {1: 2}, object()])
def test_what_is_not_plain_is_not_written(tmp_path, values):
    for suffix in ('.p', '.json'):
        with pytest.raises(ValueError, match='refs must be plain data'):
            save_refs([dict(a=values)], tmp_path / f'refs(a){suffix}')
    assert not list(tmp_path.iterdir())


def test_other_suffixes(tmp_path):
    for call in (lambda p: load_refs(p), lambda p: save_refs([], p)):
        with pytest.raises(
            ValueError, match=r"ends in one of \('\.p', '\.json'\), got .*refs\.txt"
        ):
            call(tmp_path / 'refs.txt')


# --- Damage ---------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The bytes of a refs file, by suffix, and a folder to write to."""
    folder = tmp_path_factory.mktemp('damage')
    refs = Folder(folder).refs
    refs[0]['ref_id'] = np.int64(1)
    save_refs(refs, folder / 'refs(a).json')
    return {
        '.p': pickle.dumps(refs, protocol=2),
        '.json': (folder / 'refs(a).json').read_bytes(),
    }, folder


@settings(max_examples=150, deadline=None)
@given(data=st.data(), suffix=st.sampled_from(['.p', '.json']))
def test_truncated_files_are_refused(whole, data, suffix):
    contents, folder = whole
    end = data.draw(st.integers(0, len(contents[suffix]) - 1))
    path = folder / f'refs(b){suffix}'
    path.write_bytes(contents[suffix][:end])
    with pytest.raises(ValueError, match=r'refs\(b\)\.\w+ is not a refs file: .'):
        load_refs(path)


def assert_refs_or_an_error(path):
    try:
        refs = load_refs(path)
    except ValueError as e:
        message = str(e)
    else:
        assert all(type(ref) is dict for ref in refs)
        return
    assert f'{path} is not a refs file: ' in message


@settings(max_examples=300, deadline=None)
@given(data=st.data(), suffix=st.sampled_from(['.p', '.json']))
def test_changed_bytes_give_refs_or_an_error(whole, data, suffix):
    contents, folder = whole
    content = bytearray(contents[suffix])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = folder / f'refs(c){suffix}'
    path.write_bytes(content)
    assert_refs_or_an_error(path)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=60))
def test_any_bytes_give_refs_or_an_error(whole, content):
    path = whole[1] / 'refs(d).p'
    path.write_bytes(content)
    assert_refs_or_an_error(path)


def test_deeply_nested_files(tmp_path):
    (tmp_path / 'refs(a).json').write_text('[' * 200_000)
    with pytest.raises(ValueError, match=r'is not a refs file: RecursionError'):
        load_refs(tmp_path / 'refs(a).json')


# --- instances.json -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'record, match',
    [
        (5, r'record 1 has no id \(int or str\): 5'),
        (dict(id=7.0), r"record 1 has no id \(int or str\): {'id': 7.0}"),
        (dict(id=True), 'record 1 has no id'),
        (dict(id=1), 'duplicate id 1 '),
    ],
)
@pytest.mark.parametrize('kind', ['image', 'annotation'])
def test_records_without_an_id_of_their_own(tmp_path, kind, record, match):
    instances = dict(images=[], annotations=[])
    instances[f'{kind}s'] = [dict(id=1), record, dict(id=2)]
    path = tmp_path / 'instances.json'
    path.write_text(json.dumps(instances))
    with pytest.raises(ValueError, match=rf'{kind} of .*instances\.json: {match}'):
        load_instances(path)
    kept = load_instances(path, strict=False)[kind == 'annotation']
    # of two with one id nobody can say which is meant
    assert kept.keys() == ({2} if 'duplicate' in match else {1, 2})
