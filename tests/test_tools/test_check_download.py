# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import runpy
import sys

import pytest
from refer_layout import make_ref, write_dataset

from mmseg_remamber.datasets.inspection import PUBLISHED, Counts, PublishedDataset

REFS = [
    make_ref(1, 1, 'train', 'left', 'the left one'),
    make_ref(2, 1, 'train', 'right'),
    make_ref(3, 2, 'val', 'dog'),
]
TABLE = {'train': Counts(2, 3, 1), 'val': Counts(1, 1, 1)}


@pytest.fixture
def check(root, monkeypatch, tmp_path, capsys):
    """The command on a dataset whose published counts are those of REFS."""
    entry = PublishedDataset(img_dir='images/train2014', partitions={'unc': TABLE})
    monkeypatch.setitem(PUBLISHED, 'refcoco', entry)

    def call(*arguments):
        """-> exit status, what was printed, findings that are wrong."""
        out = tmp_path / 'findings.json'
        argv = ['check_download.py', tmp_path, 'refcoco', '--json', out, *arguments]
        monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
        with pytest.raises(SystemExit) as e:
            runpy.run_path(
                str(root / 'tools/dataset_converters/check_download.py'), run_name='__main__'
            )
        printed = capsys.readouterr()
        findings = json.loads(out.read_text()) if out.is_file() else []
        wrong = {(f['subject'], f['check']): f for f in findings if f['ok'] is False}
        return e.value.code, printed.out + printed.err, wrong

    return call


def test_the_table_adds_up_to_the_published_totals():
    def total(dataset, split_by, name):
        return sum(getattr(c, name) for c in PUBLISHED[dataset].partitions[split_by].values())

    assert total('refcoco', 'unc', 'sentences') == 142_210
    assert total('refcoco+', 'unc', 'sentences') == 141_564
    assert total('refcocog', 'google', 'sentences') == total('refcocog', 'umd', 'sentences')
    assert total('refcoco', 'unc', 'refs') == total('refcoco', 'google', 'refs') == 50_000
    assert total('refcocog', 'google', 'refs') == total('refcocog', 'umd', 'refs') == 49_822
    assert total('refcoco', 'unc', 'images') == 19_994


def test_a_whole_download_passes(check, tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    code, printed, wrong = check()
    assert (code, wrong) == (0, {})
    assert '0 wrong' in printed


def test_json_refs_pass_as_well(check, tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).json', REFS)
    assert check()[0] == 0


def test_counts_that_differ_are_named(check, tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', [*REFS, make_ref(4, 3, 'val', 'cat')])
    code, _, wrong = check()
    assert code == 1
    assert set(wrong) == {('refcoco/unc/val', name) for name in ('refs', 'sentences', 'images')}
    assert wrong['refcoco/unc/val', 'refs']['found'] == 2
    assert wrong['refcoco/unc/val', 'refs']['expected'] == 1
    assert check('--skip-counts')[0] == 0


def test_missing_files_are_findings(check, tmp_path):
    code, _, wrong = check()
    assert code == 1
    assert ('refcoco/instances.json', 'file') in wrong
    folder = write_dataset(tmp_path, 'refcoco', 'refs(google).p', REFS)
    _, _, wrong = check()
    assert "['google']" in wrong['refcoco/refs(unc)', 'file']['detail']
    (folder / 'refs(unc).p').write_bytes(b'\x80\x02(cos\nsystem\n')
    assert 'refs(unc).p' in check()[2]['refcoco/refs(unc)', 'file']['detail']


def test_missing_damaged_and_resized_images_are_named(check, tmp_path):
    from PIL import Image

    more = [*REFS, make_ref(4, 3, 'testA', 'cat'), make_ref(5, 4, 'testA', 'cow')]
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', more)
    img_dir = tmp_path / 'images' / 'train2014'
    (img_dir / '1.jpg').unlink()
    (img_dir / '2.jpg').write_bytes(b'no image')
    Image.new('RGB', (30, 40)).save(img_dir / '3.jpg')
    code, _, wrong = check()
    assert code == 1
    found = {name: f['detail'] for (_, name), f in wrong.items()}
    assert found == {
        'images': '1.jpg', 'unreadable': '2.jpg', 'of another size': '3.jpg 30x40, not 40x30'
    }  # fmt: skip
    assert check('--skip-images')[0] == 0


def test_refs_that_hang_in_the_air_are_named(check, tmp_path):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    instances = json.loads((folder / 'instances.json').read_text())
    instances['images'] = [i for i in instances['images'] if i['id'] != 2]
    instances['annotations'] = [a for a in instances['annotations'] if a['id'] != 1]
    (folder / 'instances.json').write_text(json.dumps(instances))
    _, _, wrong = check()
    assert wrong['refcoco/unc', 'refs without image record']['detail'] == '3'
    assert wrong['refcoco/unc', 'refs without annotation']['detail'] == '1'


def test_a_ref_id_used_twice_is_named(check, tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', [*REFS, REFS[2]])
    _, _, wrong = check('--skip-counts')
    assert set(wrong) == {('refcoco/unc', 'ref ids used twice')}
    assert wrong['refcoco/unc', 'ref ids used twice']['detail'] == '3'


def test_images_are_linked_only_when_asked_and_never_over_something(check, tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    elsewhere = tmp_path / 'photographs'
    (tmp_path / 'images' / 'train2014').rename(elsewhere)
    assert check()[0] == 1
    assert check('--images', elsewhere)[0] == 0
    assert not (tmp_path / 'images' / 'train2014').exists()
    code, printed, _ = check('--images', elsewhere, '--link-images')
    assert code == 0
    assert 'linked' in printed
    assert (tmp_path / 'images' / 'train2014').resolve() == elsewhere
    assert check()[0] == 0
    other = tmp_path / 'other'
    other.mkdir()
    with pytest.raises(FileExistsError, match='train2014 exists'):
        check('--images', other, '--link-images')


def test_unknown_names_list_the_choices(check, tmp_path, root, monkeypatch, capsys):
    argv = ['check_download.py', str(tmp_path), 'refcocoo']
    monkeypatch.setattr(sys, 'argv', argv)
    with pytest.raises(SystemExit, match='2'):
        runpy.run_path(
            str(root / 'tools/dataset_converters/check_download.py'), run_name='__main__'
        )
    printed = capsys.readouterr().err
    assert "choose from 'grefcoco', 'refclef', 'refcoco'" in printed
    with pytest.raises(ValueError, match=r"must be among \['unc'\], got 'umd'"):
        check('--split-by', 'umd')


def test_real_data(root, realdata, monkeypatch, capsys):
    argv = ['x', realdata / 'refcoco_mini', 'refcoco', 'refcoco+', '--split-by', 'unc']
    monkeypatch.setattr(sys, 'argv', [*map(str, argv), '--skip-counts'])
    with pytest.raises(SystemExit, match='0'):
        runpy.run_path(
            str(root / 'tools/dataset_converters/check_download.py'), run_name='__main__'
        )
    assert ' 0 wrong' in capsys.readouterr().out
