# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefCOCODataset: every record of real data, a tiny folder with everything wrong, the control."""

import json
import pickle
import shutil
import struct

import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from pycocotools import mask as coco_mask
from refer_folder import SQUARE, entries, make_ref

from mmseg_remamber.datasets import RefCOCODataset
from mmseg_remamber.datasets.refer.reader import load_refs, save_refs

REAL_SPLITS = [
    ('refcoco', 'unc', 'testA', 30),
    ('refcoco', 'unc', 'testB', 14),
    ('refcoco+', 'unc', 'testA', 6),
    ('refcoco+', 'unc', 'testB', 3),
    ('refcocog', 'umd', 'val', 2),
]


def test_training_has_one_entry_a_ref(folder):
    found = entries(folder.write().read())
    assert [e['ref_id'] for e in found] == [1, 2, 3, 4]
    assert found[0]['sentences'] == ['left one', 'one']
    assert found[0]['sent_ids'] == [10, 11]
    assert found[0]['segmentation'] == [[x + 0.5 for x in SQUARE]]
    # the image record's file, not the ref's
    assert found[3]['img_path'] == str(folder.path / 'images' / '2.png')
    assert (found[3]['height'], found[3]['width']) == (12, 16)


def test_testing_has_one_entry_a_sentence(folder):
    found = entries(folder.write().read(test_mode=True))
    assert [(e['ref_id'], e['sent_id'], e['text']) for e in found] == [
        (1, 10, 'left one'), (1, 11, 'one'), (2, 20, 'two'), (3, 30, 'three'), (3, 31, 'three!'),
        (4, 40, 'alone'),
    ]  # fmt: skip
    assert [e['sample_idx'] for e in found] == list(range(6))
    assert 'sentences' not in found[0]


def test_raw_sentences(folder):
    found = entries(folder.write().read(sentence_key='raw'))
    assert found[0]['sentences'] == ['Left one', 'one']


def test_annotations_numbered_by_text(folder):
    """As RefCLEF's are."""
    for annotation in folder.annotations:
        annotation['id'] = f'87_{annotation["id"]}'
    for ref in folder.refs:
        ref['ann_id'] = f'87_{ref["ann_id"]}'
    found = entries(folder.write().read())
    assert [e['ann_id'] for e in found] == ['87_1', '87_2', '87_3', '87_4']
    assert found[0]['segmentation'] == folder.annotations[0]['segmentation']


def test_indices_and_absolute_image_folder(folder):
    folder.write()
    dataset = folder.read(indices=2, img_dir=str(folder.path / 'images'))
    assert [e['ref_id'] for e in entries(dataset)] == [1, 2]


def test_lazy_init_reads_nothing(folder):
    dataset = folder.read(lazy_init=True)
    folder.write()
    assert len(dataset) == 4


@pytest.mark.parametrize('seed', range(5))
def test_permuted_sentences_stay_in_the_image_and_change_the_object(folder, seed):
    folder.write()
    before = {e['ref_id']: e for e in entries(folder.read(test_mode=False))}
    after = entries(folder.read(permute_sentences=seed))
    assert [e['ref_id'] for e in after] == [1, 2, 3]  # 4 is alone on its image
    assert sorted(e['ann_id'] for e in after) == [1, 2, 3]
    own = {e['ann_id']: e['segmentation'] for e in before.values()}
    for e in after:
        was = before[e['ref_id']]
        assert e['sentences'] == was['sentences'] and e['img_path'] == was['img_path']
        assert e['ann_id'] != was['ann_id']
        assert e['segmentation'] == own[e['ann_id']] != was['segmentation']


def test_permutation_depends_on_the_seed_alone(folder):
    folder.write()
    pairs = [
        tuple(e['ann_id'] for e in entries(folder.read(permute_sentences=seed)))
        for seed in (0, 0, 1, 2, 3, 4)
    ]
    assert pairs[0] == pairs[1]
    assert len(set(pairs)) == 2  # the two permutations of three that keep none in its place


def test_permutation_of_two_refs_of_one_object(folder):
    """Two refs that mean the same object do not count as two objects."""
    folder.refs[3:] = [make_ref(4, 4, 2, ['alone']), make_ref(5, 4, 2, ['alone too'])]
    found = entries(folder.write().read(permute_sentences=0))
    assert [e['ref_id'] for e in found] == [1, 2, 3]


def test_python_2_strings_and_numpy_numbers(folder):
    folder.refs[0]['ref_id'] = np.int64(1)
    folder.refs[0]['sentences'][0]['sent_id'] = np.int32(10)
    found = entries(folder.write().read())
    assert found[0]['ref_id'] == 1 and type(found[0]['ref_id']) is int
    assert type(found[0]['sent_ids'][0]) is int

    def python_2(text):  # a protocol-2 byte string of Python 2, in place of the sentence
        whole = pickle.dumps(folder.refs, protocol=2)
        modern = b'X' + struct.pack('<I', len(b'left one')) + b'left one'
        assert modern in whole
        return whole.replace(modern, b'U' + bytes([len(text)]) + text)

    for text in ('café'.encode(), 'café'.encode('latin1')):
        found = entries(folder.write(python_2(text)).read())
        assert found[0]['sentences'][0] == 'café'


def test_lettered_test_splits(folder):
    """A ref of testAB is tested on in A, in B and in all of the tests."""
    for ref, split in zip(folder.refs, ['testA', 'testAB', 'testBC', 'test', 'train']):
        ref['split'] = split
    folder.write()
    found = {
        split: [e['ref_id'] for e in entries(folder.read(split))]
        for split in ('testA', 'testB', 'testC', 'testAB', 'test', 'train')
    }
    assert found == dict(
        testA=[1, 2], testB=[2, 3], testC=[3], testAB=[2], test=[1, 2, 3, 4], train=[5]
    )


def test_rle_masks_in_a_list_become_one(folder):
    """RefCLEF has its masks so."""
    first, second, both = np.zeros((3, 12, 16), np.uint8)
    first[2:5, 3:6] = second[7:9, 1:12] = 1
    both = first | second

    def rle(mask):
        encoded = coco_mask.encode(np.asfortranarray(mask))
        return dict(size=[12, 16], counts=encoded['counts'].decode())

    folder.annotations[0]['segmentation'] = [rle(first)]
    folder.annotations[1]['segmentation'] = [rle(first), rle(second)]
    found = entries(folder.write().read())
    for entry, mask in zip(found, (first, both)):
        assert np.array_equal(coco_mask.decode(entry['segmentation']), mask)


# --- Real data ------------------------------------------------------------------------------------


@pytest.mark.parametrize('dataset, split_by, split, num_sentences', REAL_SPLITS)
def test_every_real_record(realdata, root, dataset, split_by, split, num_sentences):
    config = Config.fromfile(root / 'configs' / '_base_' / 'datasets' / 'refcoco.py')
    source = realdata / 'refcoco_mini'
    data = DATASETS.build(
        dict(
            type='RefCOCODataset',
            data_root=str(source),
            dataset=dataset,
            split_by=split_by,
            split=split,
            img_dir='images/train2014',
            test_mode=True,
            pipeline=config.test_pipeline,
        )
    )
    refs = pickle.loads((source / dataset / f'refs({split_by}).p').read_bytes())
    instances = json.loads((source / dataset / 'instances.json').read_text())
    annotations = {a['id']: a for a in instances['annotations']}
    images = {i['id']: i for i in instances['images']}
    expected = [(r, s) for r in refs if r['split'] == split for s in r['sentences']]
    assert len(data) == len(expected) == num_sentences
    for packed, (ref, sentence) in zip(entries(data), expected):
        sample, image = packed['data_samples'], images[ref['image_id']]
        assert sample.text == sentence['sent'] and sample.sent_id == sentence['sent_id']
        assert sample.ori_shape == (image['height'], image['width'])
        assert packed['inputs'].shape == (3, 480, 480)
        polygons = annotations[ref['ann_id']]['segmentation']
        truth = coco_mask.decode(coco_mask.frPyObjects(polygons, *sample.ori_shape)).any(axis=-1)
        assert truth.any()
        assert np.array_equal(sample.gt_sem_seg.data[0].numpy(), truth)


@pytest.mark.parametrize('dataset, split_by', sorted({case[:2] for case in REAL_SPLITS}))
def test_no_real_ref_is_left_out(realdata, tmp_path, dataset, split_by):
    """The splits above are all there are, in training too, and from JSON as from the pickle."""
    source = realdata / 'refcoco_mini'
    refs = load_refs(source / dataset / f'refs({split_by}).p')
    splits = {case[2] for case in REAL_SPLITS if case[:2] == (dataset, split_by)}
    assert splits == {ref['split'] for ref in refs}
    (tmp_path / dataset).mkdir()
    save_refs(refs, tmp_path / dataset / f'refs({split_by}).json')
    shutil.copy(source / dataset / 'instances.json', tmp_path / dataset)
    for split in splits:
        arguments = (dataset, split_by, split, str(source / 'images' / 'train2014'))
        found = entries(RefCOCODataset(str(source), *arguments))
        assert [(e['ref_id'], e['ann_id'], e['sentences']) for e in found] == [
            (r['ref_id'], r['ann_id'], [s['sent'] for s in r['sentences']])
            for r in refs
            if r['split'] == split
        ]
        assert entries(RefCOCODataset(str(tmp_path), *arguments)) == found


def test_real_training_split(realdata):
    data = RefCOCODataset(
        str(realdata / 'cocopos_derived'), 'cocopos', 'derived', 'train', 'images/coco2017'
    )
    assert len(data) == 100
    assert sum(len(e['sentences']) for e in entries(data)) == 193


# --- Errors ---------------------------------------------------------------------------------------


def test_sentence_key(folder):
    with pytest.raises(ValueError, match=r"one of \('sent', 'raw'\), got 'text'"):
        folder.read(sentence_key='text')


def test_missing_image_folder(folder):
    with pytest.raises(FileNotFoundError, match=r'no image folder .*/pictures'):
        folder.write().read(img_dir='pictures')


def test_missing_refs(folder):
    with pytest.raises(
        FileNotFoundError, match=r"refs\(you\)\.p or \.json; split_by there: \['me'\]"
    ):
        folder.write().read(split_by='you')


def test_missing_instances(folder):
    folder.write()
    (folder.path / 'toy' / 'instances.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'no annotation file .*instances\.json'):
        folder.read()


@pytest.mark.parametrize(
    'content, reason',
    [
        ('', 'Expecting value'),
        ('{', 'Expecting property name'),
        ('[' * 100_000, 'recursion'),
        ('{"images": []}', "it has no list 'annotations'"),
        ('{"images": {}, "annotations": []}', "it has no list 'images'"),
        ('[]', 'it is no dict'),
        ('null', 'it is no dict'),
    ],
)
def test_damaged_instances(folder, content, reason):
    folder.write()
    (folder.path / 'toy' / 'instances.json').write_text(content)
    with pytest.raises(ValueError, match=rf'instances\.json is not an instances file: .*{reason}'):
        folder.read()


@pytest.mark.parametrize(
    'content',
    [b'', b'\x80\x02]', b'no pickle', pickle.dumps({'a': 1}), pickle.dumps([1]), b'\x80\x02h\x07.'],
)
def test_damaged_refs(folder, content):
    with pytest.raises(ValueError, match=r'refs\(me\)\.p is not a refs file'):
        folder.write(content).read()


def test_refs_that_would_run_code(folder, tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / 'harm'), 'w'))

    with pytest.raises(ValueError, match=r'asks for io.open, which is not plain data'):
        folder.write(pickle.dumps([Harm()])).read()
    assert not (tmp_path / 'harm').exists()


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_a_missing_field_is_named_with_its_ref_and_its_file(folder, key):
    del folder.refs[3][key]
    name = 'the ref at position 3' if key == 'ref_id' else 'ref 4'
    with pytest.raises(ValueError) as caught:
        folder.write().read()
    said = f"{name} of {folder.refs_path}: missing {key}: it has no field '{key}'"
    assert str(caught.value) == said


def test_a_split_whose_refs_are_all_left_out(folder):
    folder.refs[4]['sentences'] = []
    folder.write()
    with pytest.raises(ValueError, match='toy, val: no ref is left'):
        folder.read('val', strict=False)
    assert len(folder.read(strict=False)) == 4


def test_unknown_split(folder):
    with pytest.raises(ValueError, match=r"one of \['train', 'val'\] in .*, got 'testA'"):
        folder.write().read('testA')


def test_missing_annotation(folder):
    del folder.annotations[1]
    with pytest.raises(
        ValueError, match=r'ref 2 of .*refs\(me\)\.p: no annotation: no annotation 2'
    ):
        folder.write().read()


def test_missing_image_record(folder):
    del folder.images[1]
    with pytest.raises(ValueError, match=r'ref 4 of .*: no image record: no image 2'):
        folder.write().read()


@pytest.mark.parametrize(
    'sentences, reason', [([], 'no sentences'), (['fine', ' '], 'empty sentence')]
)
def test_empty_sentence(folder, sentences, reason):
    folder.refs[1] = make_ref(2, 2, 1, sentences)
    with pytest.raises(ValueError, match=rf'ref 2 of .*refs\(me\)\.p: {reason}: '):
        folder.write().read()


def test_image_record_without_size(folder):
    folder.images[1]['height'] = 0
    with pytest.raises(ValueError, match=r'ref 4 of .*: image size: image 2 of .* has size 16x0'):
        folder.write().read()


def test_annotation_without_mask(folder):
    folder.annotations[2]['segmentation'] = []
    with pytest.raises(ValueError, match=r'ref 3 of .*: no mask: annotation 3'):
        folder.write().read()


def test_missing_image_file(folder):
    folder.write()
    (folder.path / 'images' / '1.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'ref 1 of .*toy: no image .*1\.png'):
        folder.read()


def test_missing_image_folder_of_a_file(folder):
    folder.write()
    folder.images[0]['file_name'] = '07/images/1.png'  # SAIAPR's folders
    folder.instances_path.write_text(
        json.dumps(dict(images=folder.images, annotations=folder.annotations))
    )
    with pytest.raises(FileNotFoundError, match=r'no image .*07/images/1\.png'):
        folder.read()
    (folder.path / 'images' / '07' / 'images').mkdir(parents=True)
    (folder.path / 'images' / '1.png').rename(folder.path / 'images' / '07' / 'images' / '1.png')
    assert len(folder.read()) == 4


# --- strict=False ---------------------------------------------------------------------------------


def test_refs_that_cannot_be_used_are_left_out_and_counted(folder, log):
    folder.refs[0]['sentences'][0]['sent'] = ' '
    folder.annotations[1]['segmentation'] = [[1.0, 2.0, 3.0, 4.0]]
    folder.annotations[2]['segmentation'] = [[1.0, 2.0, 3.0, 4.0, 5.0]]
    folder.write()
    for _ in range(2):  # a start from the cache says it too
        found = entries(folder.read(strict=False))
        assert [e['ref_id'] for e in found] == [4]
        assert log.pop().endswith('refs(me).p: 3 refs left out (1 empty sentence, 2 polygon)')
        assert not log


def test_missing_image_files_are_left_out_and_counted(folder, log):
    folder.write()
    (folder.path / 'images' / '1.png').unlink()
    assert [e['ref_id'] for e in entries(folder.read(strict=False))] == [4]
    assert log[-1].endswith('toy, train: 3 refs left out (1 image files are missing)')


def test_no_ref_left(folder):
    folder.write()
    for image in (folder.path / 'images').iterdir():
        image.unlink()
    with pytest.raises(ValueError, match='toy, train: no ref is left'):
        folder.read(strict=False)


def test_no_ref_left_by_the_control(folder):
    with pytest.raises(ValueError, match='toy, val: no ref is left'):
        folder.write().read('val', permute_sentences=0)


def test_nothing_is_logged_when_nothing_is_dropped(folder, log):
    folder.write().read(strict=False)
    assert not log
