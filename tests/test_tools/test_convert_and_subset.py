# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import runpy
import sys

import pytest
from refer_layout import make_ref, write_dataset

from mmseg_remamber.datasets import RefCOCODataset
from mmseg_remamber.datasets.inspection import choose_refs, reduce_instances
from mmseg_remamber.datasets.refer.reader import load_refs

REFS = [
    make_ref(n, 1 + n // 2, 'train' if n < 12 else 'val', f'object {n}', 'café, ñandú')
    for n in range(20)
]


@pytest.fixture
def run(root, monkeypatch, capsys):
    def call(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        runpy.run_path(str(root / 'tools/dataset_converters' / name), run_name='__main__')
        return capsys.readouterr().out

    return call


def test_conversion_goes_both_ways_without_loss(run, tmp_path):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    run('convert_refs.py', folder / 'refs(unc).p', folder / 'refs(unc).json')
    assert json.loads((folder / 'refs(unc).json').read_text(encoding='utf-8')) == REFS
    out = run('convert_refs.py', folder / 'refs(unc).json', tmp_path / 'again.p')
    assert '20 refs' in out
    assert load_refs(tmp_path / 'again.p') == REFS


def test_conversion_refuses(run, tmp_path):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    source = folder / 'refs(unc).p'
    with pytest.raises(SystemExit, match=r'ends in .p or .json'):
        run('convert_refs.py', source, tmp_path / 'refs.txt')
    (tmp_path / 'there.json').write_text('[]')
    with pytest.raises(SystemExit, match='--force'):
        run('convert_refs.py', source, tmp_path / 'there.json')
    run('convert_refs.py', source, tmp_path / 'there.json', '--force')
    assert len(load_refs(tmp_path / 'there.json')) == 20


def test_draw_depends_on_the_seed_and_not_on_the_order():
    first = choose_refs(REFS, num_refs=3, seed=1)
    assert [ref['split'] for ref in first].count('train') == 3
    assert [ref['split'] for ref in first].count('val') == 3
    again = choose_refs(REFS[::-1], num_refs=3, seed=1)
    assert sorted(r['ref_id'] for r in again) == sorted(r['ref_id'] for r in first)
    chosen = {tuple(r['ref_id'] for r in choose_refs(REFS, num_refs=3, seed=s)) for s in range(9)}
    assert len(chosen) > 5
    assert choose_refs(REFS, num_refs=99) == REFS


def test_images_come_with_all_their_refs():
    chosen = choose_refs(REFS, num_images=2, splits=['train'])
    assert len({ref['image_id'] for ref in chosen}) == 2
    assert len(chosen) == 4
    assert {ref['split'] for ref in chosen} == {'train'}


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(), 'exactly one'),
        (dict(num_refs=1, num_images=1), 'exactly one'),
        (dict(num_refs=0), 'at least 1, got 0'),
        (dict(ref_ids=[3, 77]), r'not there: \[77\]'),
        (dict(num_refs=1, splits=['testA']), r"among \['train', 'val'\], got \['testA'\]"),
    ],
)
def test_choice_says_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        choose_refs(REFS, **options)


def test_only_needed_records_stay():
    refs = [make_ref(1, 1, 'val', 'both', ann_id=[5, 6]), make_ref(2, 2, 'val', 'no', ann_id=[-1])]
    instances = dict(
        images=[dict(id=i) for i in range(4)],
        annotations=[dict(id=i) for i in range(9)],
        categories=['kept'],
    )
    small = reduce_instances(instances, refs)
    assert [i['id'] for i in small['images']] == [1, 2]
    assert [a['id'] for a in small['annotations']] == [5, 6]
    assert small['categories'] == ['kept']
    with pytest.raises(ValueError, match=r'lacks annotations \[77\]'):
        reduce_instances(instances, [make_ref(77, 1, 'val', 'x')])


@pytest.mark.parametrize('how', ['--copy-images', '--link-images'])
def test_a_subset_is_a_dataset(run, tmp_path, how):
    write_dataset(tmp_path / 'whole', 'refcoco', 'refs(unc).p', REFS)
    small = tmp_path / 'small'
    out = run('subset.py', tmp_path / 'whole', 'refcoco', 'unc', small, '--num-images=2', how)
    assert out.splitlines() == [
        'train: 4 refs, 8 sentences, 2 images', 'val: 4 refs, 8 sentences, 2 images'
    ]  # fmt: skip
    dataset = RefCOCODataset(str(small), 'refcoco', 'unc', 'val', 'images/train2014')
    assert len(dataset) == 4
    images = list((small / 'images' / 'train2014').iterdir())
    assert len(images) == 4
    assert all(path.is_symlink() == (how == '--link-images') for path in images)
    with pytest.raises(SystemExit, match='refcoco exists'):
        run('subset.py', tmp_path / 'whole', 'refcoco', 'unc', small, '--num-images=2')


def test_subset_of_given_refs_of_grefcoco(run, tmp_path):
    refs = [make_ref(1, 1, 'val', 'all', ann_id=[3, 4]), make_ref(2, 1, 'val', 'none', ann_id=[-1])]
    write_dataset(tmp_path / 'whole', 'grefcoco', 'grefs(unc).json', refs)
    run('subset.py', tmp_path / 'whole', 'grefcoco', 'unc', tmp_path / 'small', '--ref-ids', 2)
    folder = tmp_path / 'small' / 'grefcoco'
    assert load_refs(folder / 'grefs(unc).json') == refs[1:]
    assert json.loads((folder / 'instances.json').read_text())['annotations'] == []


def test_subset_says_what_is_wrong(run, tmp_path):
    write_dataset(tmp_path / 'whole', 'mine', 'refs(me).p', REFS)
    small = tmp_path / 'small'
    with pytest.raises(SystemExit, match=r"must be one of \['mine'\] in .*, got 'yours'"):
        run('subset.py', tmp_path / 'whole', 'yours', 'me', small, '--num-refs=1')
    with pytest.raises(SystemExit, match=r"split_by there: \['me'\]"):
        run('subset.py', tmp_path / 'whole', 'mine', 'you', small, '--num-refs=1')
    with pytest.raises(SystemExit, match='--img-dir is needed'):
        run('subset.py', tmp_path / 'whole', 'mine', 'me', small, '--num-refs=1', '--copy-images')
    assert not small.exists()


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_a_subset_names_a_ref_without_a_field(run, tmp_path, key):
    folder = write_dataset(tmp_path / 'whole', 'mine', 'refs(me).json', REFS)
    refs = [dict(ref) for ref in REFS]
    del refs[6][key]
    (folder / 'refs(me).json').write_text(json.dumps(refs))
    name = 'the ref at position 6' if key == 'ref_id' else 'ref 6'
    said = rf"{name} of .*refs\(me\)\.json: missing {key}: it has no field '{key}'"
    with pytest.raises(SystemExit, match=said):
        run('subset.py', tmp_path / 'whole', 'mine', 'me', tmp_path / 'small', '--num-refs=1')
    assert not (tmp_path / 'small').exists()


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda i: i['images'][0].pop('file_name'), r"image 1 of .* has no field 'file_name'"),
        (lambda i: i['images'][0].update(file_name=5), 'image 1 of .* has file_name 5'),
        (lambda i: i['images'][0].pop('id'), r'image of .*instances\.json: record 0 has no id'),
        (lambda i: i['annotations'][1].pop('id'), r'annotation of .*: record 1 has no id'),
        (lambda i: i.pop('annotations'), r"instances\.json .*: it has no list 'annotations'"),
        (lambda i: i['images'].pop(0), r'instances\.json lacks images \[1\]'),
    ],
)
def test_a_subset_names_a_damaged_record(run, tmp_path, change, said):
    folder = write_dataset(tmp_path / 'whole', 'refcoco', 'refs(unc).p', REFS)
    instances = json.loads((folder / 'instances.json').read_text())
    change(instances)
    (folder / 'instances.json').write_text(json.dumps(instances))
    with pytest.raises(SystemExit, match=f'error: .*{said}'):
        run(
            'subset.py', tmp_path / 'whole', 'refcoco', 'unc', tmp_path / 'small',
            '--num-refs=99', '--copy-images',
        )  # fmt: skip
    assert not (tmp_path / 'small' / 'refcoco').exists()


@pytest.mark.parametrize(
    'content', [b'', b'[', b'{"a": 1}', b'\x80\x02cos\nsystem\n.', bytes(range(256))]
)
@pytest.mark.parametrize('suffix', ['.p', '.json'])
def test_conversion_names_a_damaged_file(run, tmp_path, content, suffix):
    source = tmp_path / f'refs(unc){suffix}'
    source.write_bytes(content)
    with pytest.raises(SystemExit, match=rf'error: .*refs\(unc\){suffix} is not a refs file: '):
        run('convert_refs.py', source, tmp_path / 'out.json')
    assert not (tmp_path / 'out.json').exists()
