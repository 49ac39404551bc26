# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""gRefCOCO: several targets, one, none."""

import json
import shutil
from itertools import combinations

import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from refer_folder import SQUARE, Folder, entries, make_ref

from mmseg_remamber.datasets import GRefCOCODataset, MixedRefDataset, RefCOCODataset
from mmseg_remamber.datasets.refer.reader import load_refs


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
        (dict(ann_id=[1, 4]), 'annotation 4 of instances.json is on image 2'),
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


@pytest.fixture
def released(folder):
    """As the released file: refs of any split and any number of targets have no sentences."""
    folder.refs[1]['sentences'] = []
    folder.refs[1]['sent_ids'] = []
    folder.refs[2].update(sentences=[], no_target=True)
    folder.refs.append(make_ref(6, [5], 3, [], 'val'))
    return folder.write()


def test_refs_without_sentences_are_left_out_and_counted(released, log):
    for _ in range(2):  # a start from the cache says it too
        assert [e['ref_id'] for e in entries(read(released))] == [1, 4]
        assert log.pop().endswith('grefs(me).p: 3 refs left out (3 no sentences)')
        assert not log
    assert [e['ref_id'] for e in entries(read(released, 'val', test_mode=True))] == [5]


def test_refs_without_sentences_are_an_error_of_other_datasets(released):
    for ref in released.refs:
        ref['ann_id'] = 1
    released.stem = 'refs'
    with pytest.raises(ValueError, match=r'ref 2 of .*: no sentences: its list of sentences is '):
        released.write().read(kind=RefCOCODataset)


@pytest.mark.parametrize('sentences', [None, [{}], [dict(sent_id=20, sent='', raw='')], 'two'])
def test_other_refs_without_words_are_errors(released, sentences):
    released.refs[1]['sentences'] = sentences
    released.write()
    with pytest.raises(ValueError, match=r'ref 2 of .*grefs\(me\)\.p: '):
        read(released)
    # and so is what else is wrong with the file
    released.refs[1]['sentences'] = []
    del released.refs[4]['split']
    with pytest.raises(ValueError, match=r'ref 5 of .*: missing split: '):
        read(released.write())


def test_images_of_refs_without_sentences_are_held_out(released):
    released.refs[1]['image_id'] = 2
    released.refs[1]['split'] = 'val'
    mixed = MixedRefDataset([read(released.write())])
    assert mixed.removed == [dict(images=1, refs=1)]
    assert [e['ref_id'] for e in entries(mixed)] == [1]


def test_real_photographs_in_the_form_of_grefcoco(realdata, root, tmp_path, log):
    """The config of gRefCOCO on real masks, with targets joined, refs of none, and empty refs."""
    source = realdata / 'cocopos_derived'
    refs = load_refs(source / 'cocopos' / 'refs(derived).p')
    for ref in refs:
        ref.update(ann_id=[ref['ann_id']], category_id=[ref['category_id']], no_target=False)
    train = [ref for ref in refs if ref['split'] == 'train']
    several = next(
        (a, b)
        for a, b in combinations(train, 2)
        if a['image_id'] == b['image_id'] and a['ann_id'] != b['ann_id']
    )
    several[0]['ann_id'] = several[0]['ann_id'] + several[1]['ann_id']
    none, *empty = (ref for ref in train if ref is not several[0])
    none.update(ann_id=[-1], category_id=[-1], no_target=True)
    for ref in empty[:7]:
        ref.update(sentences=[], sent_ids=[])
    (tmp_path / 'grefcoco').mkdir()
    (tmp_path / 'grefcoco' / 'grefs(unc).json').write_text(json.dumps(refs))
    shutil.copy(source / 'cocopos' / 'instances.json', tmp_path / 'grefcoco')
    config = Config.fromfile(root / 'configs' / '_base_' / 'datasets' / 'grefcoco.py')
    place = dict(data_root=str(tmp_path), img_dir=str(source / 'images' / 'coco2017'))
    for mode, number in (('train', 93), ('val', 141)):
        dataset = DATASETS.build(dict(config[f'{mode}_dataloader'].dataset, **place))
        assert any('grefs(unc).json: 7 refs left out (7 no sentences)' in line for line in log)
        log.clear()
        assert len(dataset) == number
        assert dataset[0]['inputs'].shape == (3, 480, 480)


def test_the_control_is_refused(folder):
    with pytest.raises(ValueError, match='GRefCOCODataset has no permute_sentences'):
        read(folder, permute_sentences=0)
