# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""gRefCOCO: several targets, one, none."""

import json

import pytest
from refer_folder import SQUARE, Folder, entries, make_ref

from mmseg_remamber.datasets import GRefCOCODataset


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path, stem='grefs')
    folder.refs = [
        make_ref(1, [1, 3], 1, ['both of them']),
        make_ref(2, [2], 1, ['two']),
        make_ref(3, [-1], 1, ['a cow']),
        make_ref(4, [], 2, ['another cow']),
        make_ref(5, 4, 2, ['alone'], 'val'),
    ]
    return folder


def read(folder, split='train', **arguments):
    return folder.read(split, kind=GRefCOCODataset, **arguments)


def test_entries(folder):
    folder.refs[2]['no_target'] = True
    found = entries(read(folder.write()))
    assert [e['ann_id'] for e in found] == [[1, 3], [2], [], []]
    assert [e['no_target'] for e in found] == [False, False, True, True]
    moved = [[[x + i / 2 for x in SQUARE]] for i in (1, 2, 3)]
    assert [e['segmentations'] for e in found] == [[moved[0], moved[2]], [moved[1]], [], []]
    assert not any('segmentation' in e for e in found)
    assert entries(read(folder, 'val'))[0]['ann_id'] == [4]


def test_one_entry_a_sentence(folder):
    folder.refs[0] = make_ref(1, [1, 3], 1, ['both', 'the two'])
    found = entries(read(folder.write(), test_mode=True))
    assert [(e['text'], len(e['segmentations'])) for e in found] == [
        ('both', 2), ('the two', 2), ('two', 1), ('a cow', 0), ('another cow', 0),
    ]  # fmt: skip


def test_json_as_it_is_published(folder):
    folder.write()
    folder.refs_path.unlink()
    folder.refs_path.with_suffix('.json').write_text(json.dumps(folder.refs))
    assert len(read(folder)) == 4


@pytest.mark.parametrize(
    'values, match',
    [
        (dict(ann_id='1'), r"ref 1 .*: wrong type: ann_id must be a list of int, got '1'"),
        (dict(ann_id=[1, None]), 'wrong type: ann_id'),
        (dict(ann_id=None), 'wrong type: ann_id'),
        (dict(ann_id=[1, 9]), 'no annotation 9'),
        (dict(ann_id=[1, -1]), 'no annotation -1'),
        (dict(ann_id=[1, 1]), 'duplicate ann_id'),
        (dict(ann_id=[1, 4]), 'annotation 4 is on image 2'),
        (dict(no_target=True), r'no_target: True with annotations \[1, 3\]'),
        (dict(ann_id=[-1], no_target=False), r'no_target: False with annotations \[\]'),
        (dict(no_target=0), 'no_target: 0'),
    ],
)
def test_errors(folder, values, match):
    folder.refs[0].update(values)
    folder.write()
    with pytest.raises(ValueError, match=match):
        read(folder)
    assert [e['ref_id'] for e in entries(read(folder, strict=False))] == [2, 3, 4]


def test_the_control_is_refused(folder):
    with pytest.raises(ValueError, match='GRefCOCODataset has no permute_sentences'):
        read(folder, permute_sentences=0)
