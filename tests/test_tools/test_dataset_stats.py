# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import pickle
import runpy
import sys

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from refer_layout import HEIGHT, WIDTH, box, make_ref, write_dataset

from mmseg_remamber.datasets.inspection import read_refs, split_refs, split_statistics
from mmseg_remamber.datasets.refer.reader import load_instances

REFS = [
    make_ref(1, 1, 'train', 'the dog', "the man's old red hat on the left"),
    make_ref(2, 1, 'train', 'dog'),
    make_ref(3, 2, 'testAB', 'cat'),
    make_ref(4, 2, 'testB', 'cow'),
]


def measure(root, dataset, split_by, split, **options):
    refs = split_refs(read_refs(root, dataset, split_by), split)
    return split_statistics(refs, *load_instances(root / dataset / 'instances.json'), **options)


def test_figures_by_hand(tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    split = measure(tmp_path, 'refcoco', 'unc', 'train', max_tokens=10)
    assert (split.num_refs, split.num_images) == (2, 1)
    assert split.sentences_per_ref.tolist() == [2, 1]
    assert split.words.tolist() == [2, 8, 1]
    assert split.tokens.tolist() == [4, 11, 3]  # start, end; 's is a token of its own
    assert split.mask_shares.tolist() == [0.05, 0.05]
    assert split.vocabulary['the'] == 3
    text = "the man's old red hat on the left"
    assert split.truncated == [dict(ref_id=1, sent_id=11, text=text, tokens=11)]
    assert split.as_dict()['truncation_rate'] == pytest.approx(1 / 3)
    assert not measure(tmp_path, 'refcoco', 'unc', 'train', max_tokens=11).truncated


def test_a_ref_of_two_test_sets_counts_in_both(tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    for split, count in (('testA', 1), ('testB', 2), ('testAB', 1), ('test', 2)):
        assert measure(tmp_path, 'refcoco', 'unc', split).num_refs == count


def test_parts_unite_and_no_target_is_empty(tmp_path):
    refs = [
        make_ref(1, 1, 'val', 'both', ann_id=[1, 2]),  # 5 % and the half of it that lies apart
        make_ref(2, 1, 'val', 'none', ann_id=[-1]),
        make_ref(3, 1, 'val', 'run lengths', ann_id=[3]),
    ]
    half = np.zeros((HEIGHT, WIDTH), np.uint8, order='F')
    half[:15] = 1
    rle = coco_mask.encode(half)
    rle['counts'] = rle['counts'].decode()
    segmentations = {1: [box(4, 5), box(4, 5)], 2: [box(9, 5)], 3: rle}
    write_dataset(tmp_path, 'grefcoco', 'grefs(unc).json', refs, segmentations=segmentations)
    split = measure(tmp_path, 'grefcoco', 'unc', 'val')
    np.testing.assert_allclose(split.mask_shares, [0.075, 0, 0.5])
    assert split.targets_per_ref.tolist() == [2, 0, 1]
    assert split.as_dict()['refs_without_target'] == 1


def test_a_ref_without_annotation_is_named(tmp_path):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    instances = json.loads((folder / 'instances.json').read_text())
    instances['annotations'] = instances['annotations'][1:]
    (folder / 'instances.json').write_text(json.dumps(instances))
    with pytest.raises(
        ValueError, match=r'ref 1: no annotation: no annotation 1 in instances\.json'
    ):
        measure(tmp_path, 'refcoco', 'unc', 'train')


def test_a_damaged_mask_is_named(tmp_path):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS, segmentations={2: [[1, 2, 3, 4]]})
    with pytest.raises(ValueError, match='polygon: ref 2: three points or more expected'):
        measure(tmp_path, 'refcoco', 'unc', 'train')


@pytest.mark.parametrize('kind', ['images', 'annotations'])
@pytest.mark.parametrize('key', ['width', 'height', 'file_name', 'image_id', 'segmentation'])
def test_a_record_without_a_field_is_named(tmp_path, kind, key):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    instances = json.loads((folder / 'instances.json').read_text())
    has_it = [record for record in instances[kind] if key in record][1:]
    for record in has_it:
        del record[key]
    (folder / 'instances.json').write_text(json.dumps(instances))
    if not has_it:
        assert measure(tmp_path, 'refcoco', 'unc', 'testB').num_refs == 2
        return
    said = rf"ref [34]: missing {key}: {kind[:-1]} [234] of instances.json has no field '{key}'"
    with pytest.raises(ValueError, match=said):
        measure(tmp_path, 'refcoco', 'unc', 'testB')


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_a_ref_without_a_field_is_named(tmp_path, key):
    refs = [dict(ref) for ref in REFS]
    del refs[2][key]
    path = write_refs(tmp_path, refs)
    name = 'the ref at position 2' if key == 'ref_id' else 'ref 3'
    with pytest.raises(ValueError) as caught:
        read_refs(tmp_path, 'refcoco', 'unc')
    assert str(caught.value) == f"{name} of {path}: missing {key}: it has no field '{key}'"


@pytest.mark.parametrize(
    ('sentences', 'said'),
    [
        (None, 'wrong type: sentences must be a list of dicts, got None'),
        ([dict(sent='cat')], "missing sent_id: its sentence at position 0 has no field 'sent_id'"),
        ([dict(sent_id=9, raw='cat')], "missing sent: its sentence 9 has no field 'sent'"),
        ([dict(sent_id=9, sent='\t')], "empty sentence: among ['']"),
        ([], 'no sentences: its list of sentences is empty'),
    ],
)
def test_a_ref_with_damaged_sentences_is_named(tmp_path, sentences, said):
    write_refs(tmp_path, [*REFS[:2], dict(REFS[2], sentences=sentences)])
    with pytest.raises(ValueError) as caught:
        read_refs(tmp_path, 'refcoco', 'unc')
    assert str(caught.value).endswith(f'ref 3 of {tmp_path}/refcoco/refs(unc).p: {said}')


def test_what_the_loader_leaves_out_is_not_measured(tmp_path):
    refs = [
        make_ref(1, 1, 'val', 'a dog', ann_id=[1]),
        make_ref(2, 1, 'val', ann_id=[2]),
        make_ref(3, 2, 'val', ann_id=[-1]),
    ]
    write_dataset(tmp_path, 'grefcoco', 'grefs(unc).json', refs)
    split = measure(tmp_path, 'grefcoco', 'unc', 'val')
    assert (split.num_refs, split.num_images, len(split.words)) == (1, 1, 1)


def write_refs(root, refs):
    path = write_dataset(root, 'refcoco', 'refs(unc).p', REFS) / 'refs(unc).p'
    path.write_bytes(pickle.dumps(refs, protocol=2))
    return path


def run(root, monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['dataset_stats.py', *map(str, arguments)])
    runpy.run_path(str(root / 'tools/analysis_tools/dataset_stats.py'), run_name='__main__')


def test_command_writes_numbers_and_a_plot(root, tmp_path, monkeypatch, capsys):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    out = tmp_path / 'stats' / 'refcoco'
    run(root, monkeypatch, tmp_path, 'refcoco', 'unc', '--max-tokens=10', '--out', out)
    printed = capsys.readouterr().out
    assert 'train: 2 refs, 3 sentences, 1 images' in printed
    assert '1 sentences (33.333 %) have more than 10 tokens' in printed
    figures = json.loads(out.with_suffix('.json').read_text())
    assert list(figures) == ['train', 'testAB', 'testB']
    assert figures['train']['words_per_sentence']['max'] == 8
    assert np.asarray(Image.open(out.with_suffix('.png'))).std() > 5
    with pytest.raises(SystemExit, match=r"one of \['testAB', 'testB', 'train'\], got 'val'"):
        run(root, monkeypatch, tmp_path, 'refcoco', 'unc', '--splits', 'val')


def test_shares_of_real_masks_are_those_of_the_decoded_ones(realdata):
    from mmseg_remamber.datasets import RefCOCODataset
    from mmseg_remamber.datasets.transforms import LoadRefMask

    root = realdata / 'refcoco_mini'
    split = measure(root, 'refcoco', 'unc', 'testA')
    dataset = RefCOCODataset(str(root), 'refcoco', 'unc', 'testA', 'images/train2014')
    decoded = [
        LoadRefMask()(dataset.get_data_info(i))['gt_seg_map'].mean() for i in range(len(dataset))
    ]
    np.testing.assert_allclose(split.mask_shares, decoded, rtol=1e-12)
    assert (split.num_refs, len(split.words)) == (10, 30)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda i: i['images'][0].pop('height'), 'ref 1: missing height: image 1 of .* has no'),
        (
            lambda i: i['annotations'].pop(0),
            'ref 1: no annotation: no annotation 1 in instances.json',
        ),
        (lambda i: i['annotations'][0].update(segmentation=[]), 'no mask: ref 1 has no mask'),
        (
            lambda i: i['annotations'][0].pop('segmentation'),
            'ref 1: missing segmentation: annotation 1 ',
        ),
        (lambda i: i['annotations'][0].update(image_id=2), 'ref 1: annotation of another image: '),
    ],
)
def test_command_names_file_ref_and_field(root, tmp_path, monkeypatch, change, said):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).p', REFS)
    instances = json.loads((folder / 'instances.json').read_text())
    change(instances)
    (folder / 'instances.json').write_text(json.dumps(instances))
    with pytest.raises(SystemExit, match=rf'^error: .*refs\(unc\)\.p: {said}'):
        run(root, monkeypatch, tmp_path, 'refcoco', 'unc')
