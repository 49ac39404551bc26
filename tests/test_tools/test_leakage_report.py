# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import runpy
import sys

import pytest
from refer_layout import make_ref, write_dataset

# image 1 is in both, with one object of its two
REFCOCO = [
    make_ref(1, 1, 'train', 'Left  dog', 'puppy'),
    make_ref(2, 1, 'train', 'right dog'),
    make_ref(3, 2, 'val', 'right dog'),
]
GREFCOCO = [
    make_ref(7, 1, 'val', 'left dog', ann_id=[1, 8]),
    make_ref(8, 3, 'val', 'puppy', ann_id=[-1]),
]


@pytest.fixture
def report(root, monkeypatch, tmp_path, capsys):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFCOCO)
    write_dataset(tmp_path, 'grefcoco', 'grefs(unc).json', GREFCOCO)

    def call(*arguments):
        out = tmp_path / 'leakage.json'
        argv = ['leakage_report.py', tmp_path, *arguments, '--json', out]
        monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
        runpy.run_path(str(root / 'tools/analysis_tools/leakage_report.py'), run_name='__main__')
        return capsys.readouterr().out, json.loads(out.read_text())

    return call


def test_a_pair_by_hand(report):
    out, (pair,) = report('refcoco/unc/train', 'grefcoco/unc/val')
    assert pair['shared'] == dict(images=1, objects=1, sentences=2, described=1)
    assert pair['of_first'] == dict(images=1, objects=2, sentences=3, described=3)
    assert pair['of_second'] == dict(images=2, objects=2, sentences=2, described=2)
    assert pair['examples']['objects'] == [['1.jpg', 1]]
    assert pair['examples']['described'] == [['1.jpg', 'left dog']]
    assert 'images           1 shared, 100.0 % of 1 and 50.0 % of 2' in out
    assert '1.jpg: left dog' in out


def test_the_same_annotation_number_in_another_image_is_another_object(report, tmp_path):
    write_dataset(tmp_path, 'mine', 'refs(me).p', [make_ref(1, 9, 'val', 'cat')])
    _, (pair,) = report('refcoco/unc/train', 'mine/me/val')
    assert pair['shared'] == dict(images=0, objects=0, sentences=0, described=0)


def test_an_image_of_coco_is_the_same_in_every_release(report, tmp_path):
    for dataset, name in (('old', 'COCO_train2014_000000000025.jpg'), ('new', '000000000025.jpg')):
        folder = write_dataset(tmp_path, dataset, 'refs(me).p', [make_ref(1, 25, 'val', 'cat')])
        text = (folder / 'instances.json').read_text().replace('25.jpg', name)
        (folder / 'instances.json').write_text(text)
    _, (pair,) = report('old/me/val', 'new/me/val')
    assert pair['examples']['images'] == ['coco 25']
    assert pair['shared']['objects'] == 1


def test_matrix_of_all(report):
    out, pairs = report('--all')
    assert [(pair['first'], pair['second']) for pair in pairs] == [
        ('grefcoco/unc/val', 'refcoco/unc/train'),
        ('grefcoco/unc/val', 'refcoco/unc/val'),
        ('refcoco/unc/train', 'refcoco/unc/val'),
    ]
    rows = [line.split() for line in out.splitlines()]
    assert rows[2:] == [
        ['1', 'grefcoco/unc/val', '2', '1', '0'],
        ['2', 'refcoco/unc/train', '1', '1', '0'],
        ['3', 'refcoco/unc/val', '0', '0', '1'],
    ]
    assert report('--all', '--measure=sentences')[0].splitlines()[3].split()[2:] == ['2', '3', '1']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['refcoco/unc/train', 'refcoco/unc'], 'dataset/split_by/split, got'),
        (['refcoco/unc/train', 'refcocog/umd/val'], r"one of \['grefcoco', 'refcoco'\]"),
        (['refcoco/unc/train', 'refcoco/unc/testA'], r"testA: .* one of \['train', 'val'\]"),
        (['refcoco/unc/train', 'refcoco/unc/train'], 'two different splits'),
    ],
)
def test_mistakes_are_named(report, arguments, message):
    with pytest.raises(SystemExit, match=message):
        report(*arguments)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda image: image.pop('file_name'), 'missing file_name: image 2 of .* has no field'),
        (lambda image: image.update(file_name=None), 'image file name: image 2 of .* None'),
        (lambda image: image.update(id=77), 'no image record: no image 2 in instances.json'),
        (lambda image: image.pop('width'), "missing width: image 2 of .* has no field 'width'"),
    ],
)
def test_a_damaged_image_record_is_named(report, tmp_path, change, said):
    path = tmp_path / 'refcoco' / 'instances.json'
    instances = json.loads(path.read_text())
    change(instances['images'][1])
    path.write_text(json.dumps(instances))
    assert report('refcoco/unc/train', 'grefcoco/unc/val')  # which do not read it
    with pytest.raises(SystemExit, match=f'refcoco/unc/val: ref 3: {said}'):
        report('refcoco/unc/val', 'grefcoco/unc/val')


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_a_ref_without_a_field_is_named(report, tmp_path, key):
    refs = [dict(ref) for ref in GREFCOCO]
    del refs[1][key]
    (tmp_path / 'grefcoco' / 'grefs(unc).json').write_text(json.dumps(refs))
    with pytest.raises(SystemExit, match=rf'grefs\(unc\)\.json: missing {key}: it has no field'):
        report('--all')


def test_refs_without_sentences_are_left_out(report, tmp_path):
    refs = [*GREFCOCO, make_ref(9, 2, 'val', ann_id=[3])]
    (tmp_path / 'grefcoco' / 'grefs(unc).json').write_text(json.dumps(refs))
    _, (pair,) = report('refcoco/unc/val', 'grefcoco/unc/val')
    assert pair['shared']['images'] == 0


def test_one_split_is_no_pair(report, capsys):
    with pytest.raises(SystemExit):
        report('refcoco/unc/train')
    assert 'two splits or more, or --all' in capsys.readouterr().err


def test_real_data(root, realdata, monkeypatch, capsys):
    argv = ['x', realdata / 'refcoco_mini', 'refcoco/unc/testA', 'refcoco+/unc/testA']
    monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
    runpy.run_path(str(root / 'tools/analysis_tools/leakage_report.py'), run_name='__main__')
    assert 'images           4 shared, 40.0 % of 10 and 100.0 % of 4' in capsys.readouterr().out
