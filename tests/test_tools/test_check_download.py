# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import io
import json
import runpy
import sys

import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from PIL import Image
from refer_layout import HEIGHT, WIDTH, make_ref, write_dataset

from mmseg_remamber.datasets import RefCOCODataset
from mmseg_remamber.datasets.inspection import (
    PUBLISHED,
    Counts,
    PublishedDataset,
    check_download,
    check_images,
)
from mmseg_remamber.datasets.refer.reader import save_refs
from mmseg_remamber.datasets.transforms import LoadRefImage

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
        'images': '1.jpg',
        'unreadable': "2.jpg ('2.jpg' is not an image)",
        'of another size': '3.jpg 30x40, not 40x30',
    }
    assert check('--skip-images')[0] == 0


def change_instances(folder, change):
    path = folder / 'instances.json'
    instances = json.loads(path.read_text())
    change(instances)
    path.write_text(json.dumps(instances))


def test_a_name_that_no_encoding_has_is_printed_and_loses_no_finding(check, tmp_path):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    change_instances(folder, lambda d: d['images'][0].update(file_name='a\udcff 図.jpg'))
    status, printed, wrong = check('--split-by', 'unc')
    assert status == 1 and wrong
    assert 'a\\udcff 図.jpg' in printed
    assert f'checks, {len(wrong)} wrong' in printed


def test_refs_that_hang_in_the_air_are_named(check, tmp_path):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    change_instances(folder, lambda i: (i['images'].pop(1), i['annotations'].pop(0)))
    _, _, wrong = check('--skip-counts')
    assert {name: f['detail'] for (_, name), f in wrong.items()} == {
        'refs refused, no image record': 'ref 3: no image 2 in instances.json',
        'refs refused, no annotation': 'ref 1: no annotation 1 in instances.json',
    }


def test_a_ref_id_used_twice_is_named(check, tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', [*REFS, REFS[2]])
    _, _, wrong = check('--skip-counts')
    assert set(wrong) == {('refcoco/unc', 'refs refused, duplicate ref_id')}
    assert 'ref 3: 3 is that of' in wrong['refcoco/unc', 'refs refused, duplicate ref_id']['detail']


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_refs_without_a_field_are_named(check, tmp_path, key):
    refs = [*REFS, *(make_ref(n, 3, 'val', 'cat') for n in range(4, 12))]
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', refs)
    damaged = [{k: v for k, v in ref.items() if k != key} for ref in refs[3:]]
    save_refs([*REFS, *damaged], folder / 'refs(unc).p')
    code, printed, wrong = check()  # the rest is as published
    assert code == 1
    (found,) = wrong.values()
    assert (found['check'], found['found']) == (f'refs refused, missing {key}', 8)
    first = 'the ref at position 3' if key == 'ref_id' else 'ref 4'
    assert found['detail'].startswith(f"{first}: it has no field '{key}', ")
    assert found['detail'].endswith(' and 3 more')
    assert found['detail'] in printed


@pytest.mark.parametrize(
    ('kind', 'key'),
    [
        ('images', 'width'),
        ('images', 'height'),
        ('images', 'file_name'),
        ('annotations', 'image_id'),
        ('annotations', 'segmentation'),
    ],
)
def test_records_without_a_field_are_named(check, tmp_path, kind, key):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    change_instances(folder, lambda instances: instances[kind][-1].pop(key))
    _, _, wrong = check('--skip-counts')
    assert {name: f['detail'] for (_, name), f in wrong.items()} == {
        f'refs refused, missing {key}': f'ref 3: {kind[:-1]} {2 if kind == "images" else 3} '
        f"of instances.json has no field '{key}'"
    }


@pytest.mark.parametrize('kind', ['images', 'annotations'])
def test_a_record_without_an_id_is_named(check, tmp_path, kind):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    change_instances(folder, lambda instances: instances[kind][1].pop('id'))
    _, _, wrong = check()
    (found,) = wrong.values()
    assert f'{kind[:-1]} of {folder}/instances.json: record 1 has no id' in found['detail']


@pytest.mark.parametrize('content', ['', '[', '[1, {}]', '{"refs": []}', '[null]'])
def test_a_refs_file_that_is_none_is_named(check, tmp_path, content):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).json', REFS)
    (folder / 'refs(unc).json').write_text(content)
    _, _, wrong = check()
    (found,) = wrong.values()
    assert found['subject'] == 'refcoco/refs(unc)'
    assert f'{folder}/refs(unc).json is not a refs file: ' in found['detail']


def test_splits_that_the_configs_read_must_be_there(check, tmp_path, monkeypatch):
    entry = PublishedDataset(img_dir='images/train2014', partitions={'unc': {}})
    monkeypatch.setitem(PUBLISHED, 'refcoco', entry)
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    assert check()[0] == 0
    save_refs(REFS[:2], tmp_path / 'refcoco' / 'refs(unc).p')
    _, _, wrong = check()
    assert set(wrong) == {('refcoco/unc/val', 'refs')}
    assert check('--skip-counts')[0] == 0
    save_refs([], tmp_path / 'refcoco' / 'refs(unc).p')
    assert set(check('--skip-counts')[2]) == {('refcoco/unc', 'refs that load')}


# --- gRefCOCO -------------------------------------------------------------------------------------

GREFS = [
    make_ref(1, 1, 'train', 'both', ann_id=[1, 2]),
    make_ref(2, 1, 'train', 'no cow', ann_id=[-1]),
    make_ref(3, 2, 'train', ann_id=[3]),
    make_ref(4, 2, 'val', 'one', ann_id=[3]),
    *(make_ref(n, 1, 'val', ann_id=[-1]) for n in range(5, 11)),
]


@pytest.fixture
def released(check, tmp_path):
    """Findings of a folder as gRefCOCO was released: some refs have no sentences."""
    folder = write_dataset(tmp_path, 'grefcoco', 'grefs(unc).json', GREFS)

    def call(refs=GREFS):
        save_refs(refs, folder / 'grefs(unc).json')
        return check_download(tmp_path, 'grefcoco')

    return call


def load_released(root, tmp_path):
    config = Config.fromfile(root / 'configs' / '_base_' / 'datasets' / 'grefcoco.py')
    loaders = (config.train_dataloader, config.val_dataloader)
    return [len(DATASETS.build(dict(d.dataset, data_root=str(tmp_path)))) for d in loaders]


def test_refs_without_sentences_are_counted_and_the_config_loads_the_others(
    released, root, tmp_path
):
    findings = released()
    assert not [f for f in findings if f.ok is False]
    found = {(f.subject, f.check): f for f in findings}
    left_out = found['grefcoco/unc', 'refs left out, no sentences']
    assert (left_out.found, left_out.ok) == (7, None)
    assert left_out.detail == 'ref 3, ref 5, ref 6, ref 7, ref 8 and 2 more'
    loaded = [found[f'grefcoco/unc/{s}', 'refs'].found for s in ('train', 'val')]
    assert loaded == load_released(root, tmp_path) == [2, 1]


@pytest.mark.parametrize(
    'change',
    [
        dict(sentences=None),
        dict(sentences=[dict(sent_id=1, sent=' ', raw=' ')]),
        dict(ann_id=[1, -1]),
        dict(ann_id=[3]),
        dict(no_target=True),
    ],
)
def test_other_refs_that_the_config_refuses_are_wrong(released, root, tmp_path, change):
    findings = released([{**GREFS[0], **change}, *GREFS[1:]])
    (wrong,) = (f for f in findings if f.ok is False)
    assert wrong.check.startswith('refs refused, ')
    assert wrong.detail.startswith('ref 1: ')
    with pytest.raises(ValueError, match=r'ref 1 of .*grefs\(unc\)\.json: '):
        load_released(root, tmp_path)


def test_the_refs_file_must_have_the_name_that_the_config_reads(released, tmp_path):
    folder = tmp_path / 'grefcoco'
    (folder / 'grefs(unc).json').rename(folder / 'refs(unc).json')
    (wrong,) = (f for f in check_download(tmp_path, 'grefcoco') if f.ok is False)
    assert 'no refs file' in wrong.detail


# --- Pictures -------------------------------------------------------------------------------------


def noise(mode='RGB'):
    """A picture of 40 x 30 whose file has no long runs."""
    values = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return Image.fromarray(values).convert(mode)


def encoded(picture, form, **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def half(content):
    return content[: len(content) // 2]


def without_end(content):
    return content[:-40]


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(noise(), 'JPEG', exif=exif)


JPEG, PNG = encoded(noise(), 'JPEG'), encoded(noise(), 'PNG')
DAMAGED = {
    'half a JPEG': half(JPEG),
    'JPEG without its end': without_end(JPEG),
    'half a PNG': half(PNG),
    'PNG without its end': without_end(PNG),
    'PNG with a changed byte': PNG[:200] + bytes([PNG[200] ^ 1]) + PNG[201:],
    'half a progressive JPEG': half(encoded(noise(), 'JPEG', progressive=True)),
    'half a grey JPEG': half(encoded(noise('L'), 'JPEG')),
    'half a CMYK JPEG': half(encoded(noise('CMYK'), 'JPEG')),
    'half a WebP': half(encoded(noise(), 'WEBP')),
    'header alone': JPEG[:20],
    'nothing': b'',
    'text': b'<html>404 not found</html>',
    'zeros': bytes(4000),
    'float pixels': encoded(Image.fromarray(np.zeros((HEIGHT, WIDTH), np.float32)), 'TIFF'),
}
WHOLE = {
    'JPEG': JPEG,
    'PNG named as JPEG': PNG,
    'grey': encoded(noise('L'), 'JPEG'),
    'CMYK': encoded(noise('CMYK'), 'JPEG'),
    'palette': encoded(noise('P'), 'PNG', transparency=3),
    'alpha': encoded(noise('RGBA'), 'PNG'),
    'bits': encoded(noise('1'), 'PNG'),
    '16 bits': encoded(Image.fromarray(np.full((HEIGHT, WIDTH), 40_000, np.uint16)), 'PNG'),
    'several pictures': encoded(noise(), 'MPO', save_all=True, append_images=[noise()]),
    'trailing bytes': JPEG + bytes(100),
}


@pytest.fixture
def first_image(check, tmp_path):
    """Puts a file in the place of the first image -> wrong findings of the command, by check."""
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)

    def call(content):
        (tmp_path / 'images' / 'train2014' / '1.jpg').write_bytes(content)
        return {name: f['detail'] for (_, name), f in check()[2].items()}

    return call


def load_first(tmp_path):
    pipeline = [dict(type='LoadRefImage')]
    return RefCOCODataset(str(tmp_path), 'refcoco', 'unc', 'train', 'images/train2014', pipeline)[0]


@pytest.mark.parametrize('name', DAMAGED)
def test_damaged_images_are_named_by_the_check_and_by_the_loader(first_image, tmp_path, name):
    wrong = first_image(DAMAGED[name])
    assert list(wrong) == ['unreadable']
    assert wrong['unreadable'].startswith('1.jpg (')
    with pytest.raises(ValueError, match=r'/images/train2014/1\.jpg'):
        load_first(tmp_path)


@pytest.mark.parametrize('name', WHOLE)
def test_whole_images_are_taken_by_the_check_and_by_the_loader(first_image, tmp_path, name):
    assert first_image(WHOLE[name]) == {}
    assert load_first(tmp_path)['img'].shape == (HEIGHT, WIDTH, 3)


def test_images_of_another_size_are_named_by_the_loader_too(first_image, tmp_path):
    for size in ((30, 40), (41, 30), (1, 1)):
        wrong = first_image(encoded(noise().resize(size), 'JPEG'))
        assert wrong == {'of another size': f'1.jpg {size[0]}x{size[1]}, not 40x30'}
        with pytest.raises(
            ValueError, match=rf'1\.jpg is {size[0]}x{size[1]}, its record says 40x'
        ):
            load_first(tmp_path)


def test_what_is_no_file_is_named(first_image, tmp_path):
    path = tmp_path / 'images' / 'train2014' / '2.jpg'
    path.unlink()
    path.mkdir()
    assert first_image(JPEG)['unreadable'].startswith('2.jpg (')
    path.rmdir()
    path.symlink_to('nowhere.jpg')
    assert first_image(JPEG) == {'images': '2.jpg'}


def test_images_that_exif_would_turn_are_counted(tmp_path):
    names = [f'{n}.jpg' for n in range(9)]
    for orientation, name in enumerate(names):  # 0 is none that EXIF knows, 1 is as stored
        (tmp_path / name).write_bytes(turned(orientation))
    (tmp_path / '9.jpg').write_bytes(half(turned(6)))
    records = [dict(file_name=name, width=WIDTH, height=HEIGHT) for name in [*names, '9.jpg']]
    found = {f.check: f for f in check_images(records, tmp_path)}
    assert found['unreadable'].found == 1
    assert found['of another size'].found == 0
    by_exif = found['turned by EXIF, read as stored']
    assert (by_exif.found, by_exif.ok) == (7, None)
    assert by_exif.detail == '2.jpg, 3.jpg, 4.jpg, 5.jpg, 6.jpg and 2 more'
    # the pixels that the loader gives
    (stored,) = {LoadRefImage()(dict(img_path=str(tmp_path / n)))['img'].tobytes() for n in names}
    assert len(stored) == WIDTH * HEIGHT * 3


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
    assert 'train2014 exists' in check('--images', other, '--link-images')[0]


def test_unknown_names_list_the_choices(check, tmp_path, root, monkeypatch, capsys):
    argv = ['check_download.py', str(tmp_path), 'refcocoo']
    monkeypatch.setattr(sys, 'argv', argv)
    with pytest.raises(SystemExit, match='2'):
        runpy.run_path(
            str(root / 'tools/dataset_converters/check_download.py'), run_name='__main__'
        )
    printed = capsys.readouterr().err
    assert "choose from 'grefcoco', 'refclef', 'refcoco'" in printed
    assert "error: split_by of refcoco must be among ['unc'], got 'umd'" in check(
        '--split-by', 'umd'
    )


def test_real_data(root, realdata, monkeypatch, capsys):
    argv = ['x', realdata / 'refcoco_mini', 'refcoco', 'refcoco+', '--split-by', 'unc']
    monkeypatch.setattr(sys, 'argv', [*map(str, argv), '--skip-counts'])
    with pytest.raises(SystemExit, match='0'):
        runpy.run_path(
            str(root / 'tools/dataset_converters/check_download.py'), run_name='__main__'
        )
    assert ' 0 wrong' in capsys.readouterr().out
