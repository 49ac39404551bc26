# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Each thing that may be wrong with a ref, one at a time."""

import pytest
from refer_folder import Folder, make_ref

from mmseg_remamber.datasets.refer.checker import RefChecker
from mmseg_remamber.datasets.refer.fields import InvalidRef, name_ref
from mmseg_remamber.datasets.refer.rules import GREFCOCO, REFER


def check(folder, ref=0, rules=REFER, **arguments):
    images = {i['id']: i for i in folder.images}
    annotations = {a['id']: a for a in folder.annotations}
    checker = RefChecker(images, annotations, rules, **arguments)
    return [checker(ref) for ref in folder.refs][ref]


def of_ref(**values):
    return lambda folder: folder.refs[0].update(values)


def of_image(**values):
    return lambda folder: folder.images[0].update(values)


def of_annotation(**values):
    return lambda folder: folder.annotations[0].update(values)


def of_sentence(**values):
    return lambda folder: folder.refs[0]['sentences'][0].update(values)


def without(key, of='refs'):
    return lambda folder: getattr(folder, of)[0].pop(key)


def sentence_without(key):
    return lambda folder: folder.refs[0]['sentences'][1].pop(key)


@pytest.mark.parametrize(
    'change, reason, detail',
    [
        (of_ref(ref_id='1'), 'wrong type', "ref_id must be an int, got '1'"),
        (of_ref(ref_id=True), 'wrong type', 'ref_id must be an int, got True'),
        (of_ref(ref_id=2), 'duplicate ref_id', '2 is that of an earlier ref'),
        (of_ref(ann_id=[1]), 'wrong type', r'ann_id must be an int or a str, got \[1\]'),
        (of_ref(image_id=None), 'wrong type', 'image_id must be an int or a str, got None'),
        (of_ref(image_id=9), 'no image record', 'no image 9 '),
        (of_ref(ann_id=9), 'no annotation', 'no annotation 9 '),
        (of_ref(ann_id=4), 'annotation of another image', 'is on image 2, the ref on 1'),
        (of_ref(split='tets'), 'unknown split', "expected, got 'tets'"),
        (of_ref(split=['train']), 'unknown split', r"expected, got \['train'\]"),
        (of_ref(sentences=['a']), 'wrong type', r"sentences must be a list of dicts, got \['a'\]"),
        (of_ref(sentences=[[]]), 'wrong type', 'sentences must be a list of dicts'),
        (of_ref(sentences=None), 'wrong type', 'sentences must be a list of dicts, got None'),
        (of_ref(sentences=dict(sent='a')), 'wrong type', 'sentences must be a list of dicts'),
        (of_ref(sentences='left one'), 'wrong type', 'sentences must be a list of dicts'),
        (of_ref(sentences=[]), 'no sentences', 'its list of sentences is empty'),
        (of_ref(image_id={}), 'wrong type', 'image_id must be an int or a str, got {}'),
        (of_ref(image_id=[1]), 'wrong type', r'image_id must be an int or a str, got \[1\]'),
        (of_ref(split={}), 'unknown split', 'expected, got {}'),
        *[
            (without(key), f'missing {key}', f"it has no field '{key}'")
            for key in ('ref_id', 'split', 'image_id', 'ann_id', 'sentences')
        ],
        (sentence_without('sent_id'), 'missing sent_id', 'its sentence at position 1 has no field'),
        (sentence_without('sent'), 'missing sent', "its sentence 11 has no field 'sent'"),
        *[
            (
                without(key, 'images'),
                f'missing {key}',
                f"image 1 of instances.json has no field '{key}'",
            )
            for key in ('width', 'height', 'file_name')
        ],
        *[
            (
                without(key, 'annotations'),
                f'missing {key}',
                f"annotation 1 of instances.json has no field '{key}'",
            )
            for key in ('image_id', 'segmentation')
        ],
        (of_sentence(sent=' \t'), 'empty sentence', "among .''"),
        (of_sentence(sent=3), 'wrong type', 'sent of sentence 10 is 3'),
        (of_sentence(sent=None), 'wrong type', 'sent of sentence 10 is None'),
        (of_sentence(sent_id='x'), 'wrong type', "sent_id must be an int, got 'x'"),
        (of_sentence(sent_id=11), 'duplicate sent_id', '11 is that of an earlier sentence'),
        (of_sentence(sent_id=20), 'duplicate sent_id', '20 is that of an earlier sentence'),
        (of_image(height=0), 'image size', 'image 1 of instances.json has size 16x0'),
        (of_image(width=16.0), 'image size', 'image 1 of instances.json has size 16.0x12'),
        (of_image(file_name=''), 'image file name', "instances.json has file_name ''"),
        (of_image(file_name=7), 'image file name', 'instances.json has file_name 7'),
        (of_image(file_name='a\0b'), 'image file name', 'instances.json has file_name'),
        (of_annotation(image_id=2), 'annotation of another image', 'on image 2, the ref on 1'),
        (of_annotation(segmentation=None), 'no mask', 'annotation 1 has no mask: None'),
        (of_annotation(segmentation=[]), 'no mask', r'annotation 1 has no mask: \[\]'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, change, reason, detail):
    folder = Folder(tmp_path)
    change(folder)
    with pytest.raises(InvalidRef, match=f'^{reason}: .*{detail}') as caught:
        check(folder)
    assert caught.value.reason == reason


def test_a_record(tmp_path):
    assert check(Folder(tmp_path), sentence_key='raw') == dict(
        ref_id=1, split='train', file_name='1.png', height=12, width=16, ann_id=1,
        segmentation=[[2.5, 2.5, 8.5, 2.5, 8.5, 8.5, 2.5, 8.5]],
        sentences=['Left one', 'one'], sent_ids=[10, 11],
    )  # fmt: skip


def test_an_id_is_taken_only_by_a_ref_that_is_used(tmp_path):
    folder = Folder(tmp_path)
    checker = RefChecker({i['id']: i for i in folder.images}, {1: folder.annotations[0]})
    ref = make_ref(1, 2, 1, ['one'])
    with pytest.raises(InvalidRef, match='no annotation 2'):
        checker(ref)
    assert checker(dict(ref, ann_id=1))['ref_id'] == 1


def test_only_the_rules_leave_a_ref_without_sentences_out(tmp_path):
    folder = Folder(tmp_path, stem='grefs')
    for ref in folder.refs:
        ref['ann_id'] = [ref['ann_id']]
    # nothing else of it is read
    folder.refs[0] = dict(sentences=[])
    with pytest.raises(InvalidRef, match=r'^no sentences: ') as caught:
        check(folder, rules=GREFCOCO)
    assert caught.value.left_out
    with pytest.raises(InvalidRef, match=r'^no sentences: ') as caught:
        check(folder, rules=REFER)
    assert not caught.value.left_out


@pytest.mark.parametrize(
    'sentences', [None, (), {}, '', [None], [[]], [dict(sent_id=1, sent=' ', raw='')]]
)
def test_what_is_no_empty_list_is_never_left_out(tmp_path, sentences):
    folder = Folder(tmp_path, stem='grefs')
    folder.refs[0].update(ann_id=[1], sentences=sentences)
    with pytest.raises(InvalidRef) as caught:
        check(folder, rules=GREFCOCO)
    assert not caught.value.left_out


def test_a_ref_is_named_by_its_id_or_its_place():
    assert name_ref(dict(ref_id=7), 3) == 'ref 7'
    assert name_ref(dict(ref_id='seven'), 3) == "ref 'seven'"
    assert name_ref(dict(split='train'), 3) == 'the ref at position 3'
