# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The cache of checked annotations: when it is used, when it is not, and what may happen to it."""

import json
import multiprocessing
from pathlib import Path

import pytest
from refer_folder import entries

from mmseg_remamber.datasets.refer import cache as cache_module
from mmseg_remamber.datasets.refer.cache import default_cache_dir
from mmseg_remamber.datasets.refer.reader import load_refs, save_refs


@pytest.fixture
def cache(tmp_path):
    return tmp_path / 'cache'


@pytest.fixture
def built(monkeypatch):
    """The refs files that were read from scratch, in their order."""
    paths = []
    build = cache_module._build

    def counted(refs_path, *args, **kwargs):
        paths.append(refs_path)
        return build(refs_path, *args, **kwargs)

    monkeypatch.setattr(cache_module, '_build', counted)
    return paths


def read(folder, cache, split='train', **arguments):
    return entries(folder.read(split, cache_dir=str(cache), **arguments))


def test_the_second_start_reads_the_cache(folder, cache, built):
    folder.write()
    first = read(folder, cache)
    assert len(built) == 1 and len(list(cache.iterdir())) == 1
    assert read(folder, cache) == first
    assert [e['ref_id'] for e in read(folder, cache, 'val')] == [5]  # all splits are in it
    assert len(read(folder, cache, test_mode=True)) == 6
    assert len(built) == 1 and len(list(cache.iterdir())) == 1


def test_the_cache_does_not_depend_on_where_the_files_lie(folder, cache, built, tmp_path):
    folder.write()
    first = read(folder, cache)
    folder.path = tmp_path / 'elsewhere'
    folder.path.mkdir()
    second = read(folder.write(), cache)
    assert len(built) == 1
    assert [Path(e.pop('img_path')).name for e in first] == [
        Path(e.pop('img_path')).name for e in second
    ]
    assert first == second


@pytest.mark.parametrize('what', ['refs', 'instances', 'options', 'suffix', 'format'])
def test_other_content_or_options_are_read_anew(folder, cache, built, monkeypatch, what):
    read(folder.write(), cache)
    options = {}
    if what == 'refs':
        folder.refs[0]['sentences'][0]['sent'] = 'left two'  # as many bytes as before
        folder.write()
    elif what == 'instances':
        folder.annotations[0]['segmentation'][0][0] = 2.25
        folder.write()
    elif what == 'options':
        options = dict(sentence_key='raw')
    elif what == 'suffix':
        save_refs(load_refs(folder.refs_path), folder.refs_path.with_suffix('.json'))
        folder.refs_path.unlink()
    else:
        monkeypatch.setattr(cache_module, '_FORMAT', -1)
    entry = read(folder, cache, **options)[0]
    assert len(built) == 2
    expected = {'refs': 'left two', 'options': 'Left one'}.get(what, 'left one')
    assert entry['sentences'][0] == expected
    assert entry['segmentation'][0][0] == (2.25 if what == 'instances' else 2.5)


def test_strict_and_not_strict_are_kept_apart(folder, cache, built):
    folder.refs[0]['sentences'][0]['sent'] = ''
    folder.write()
    assert len(read(folder, cache, strict=False)) == 3
    with pytest.raises(ValueError, match='empty sentence'):
        read(folder, cache)
    with pytest.raises(ValueError, match='empty sentence'):  # an error leaves nothing behind
        read(folder, cache)
    assert len(built) == 3


def damage_everywhere(content):
    """The content cut at several places, and with one byte of each line changed."""
    yield b''
    for part in range(1, 8):
        yield content[: len(content) * part // 8]
    position = 0
    for line in content.split(b'\n')[:-1]:
        middle = position + len(line) // 2
        yield content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        position += len(line) + 1
    yield b'[1, 2, 3]\n' * 5
    yield bytes(range(256))


def test_a_damaged_cache_is_made_anew(folder, cache, built, log):
    folder.write()
    read(folder, cache)
    (path,) = cache.iterdir()
    content = path.read_bytes()
    expected = [read(folder, cache, 'train'), read(folder, cache, 'val')]
    for number, damaged in enumerate(damage_everywhere(content), start=1):
        path.write_bytes(damaged)
        assert [read(folder, cache, 'train'), read(folder, cache, 'val')] == expected
        assert path.read_bytes() == content
        assert len(built) == 1 + number
        assert 'is damaged and made anew' in log.pop() and not log


def test_a_folder_that_cannot_be_written_is_said_and_done_without(folder, cache, log):
    cache.write_text('a file, not a folder')
    assert len(read(folder.write(), cache)) == 4
    assert any('no cache of the annotations: ' in message for message in log)
    assert cache.read_text() == 'a file, not a folder'


def test_nothing_is_written_beside_the_data(folder, cache):
    folder.write()
    before = sorted(folder.path.rglob('*'))
    read(folder, cache)
    after = sorted(p for p in folder.path.rglob('*') if cache not in (p, *p.parents))
    assert after == before


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'x'))
    assert default_cache_dir() == tmp_path / 'x' / 'mmseg_remamber'
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    for value in ('', None):
        monkeypatch.setenv('XDG_CACHE_HOME', '')
        if value is None:
            monkeypatch.delenv('XDG_CACHE_HOME')
        assert default_cache_dir() == tmp_path / 'home' / '.cache' / 'mmseg_remamber'


def _start(folder, cache, barrier, queue):
    barrier.wait()
    queue.put([e['ref_id'] for e in read(folder, cache)])


def test_processes_that_start_at_once(folder, cache):
    folder.write()
    context = multiprocessing.get_context('fork')
    barrier, queue = context.Barrier(4), context.Queue()
    processes = [
        context.Process(target=_start, args=(folder, cache, barrier, queue)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    found = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert found == [[1, 2, 3, 4]] * 4
    assert len(list(cache.iterdir())) == 1  # no temporary file is left


def test_the_cache_is_json(folder, cache):
    read(folder.write(), cache)
    (path,) = cache.iterdir()
    for line in path.read_text().splitlines():
        json.loads(line)
