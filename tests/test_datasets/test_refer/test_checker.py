# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Each thing that may be wrong with a ref, one at a time."""

import pytest
from refer_folder import Folder, make_ref

from mmseg_remamber.datasets.refer.checker import InvalidRef, RefChecker


def check(folder, ref=0, **arguments):
    checker = RefChecker(
        {i['id']: i for i in folder.images}, {a['id']: a for a in folder.annotations}, **arguments
    )
    return [checker(ref) for ref in folder.refs][ref]


def of_ref(**values):
    return lambda folder: folder.refs[0].update(values)


def of_image(**values):
    return lambda folder: folder.images[0].update(values)


def of_annotation(**values):
    return lambda folder: folder.annotations[0].update(values)


def of_sentence(**values):
    return lambda folder: folder.refs[0]['sentences'][0].update(values)


def without(key):
    return lambda folder: folder.refs[0].pop(key)


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
        (without('ref_id'), 'wrong type', 'ref_id must be an int, got None'),
        (without('split'), 'unknown split', 'expected, got None'),
        (without('sentences'), 'wrong type', 'sentences must be dicts, got None'),
        (of_ref(sentences=['a']), 'wrong type', 'sentences must be dicts'),
        (of_ref(sentences=[]), 'empty sentence', r'among \[\]'),
        (of_sentence(sent=' \t'), 'empty sentence', "among .''"),
        (of_sentence(sent=3), 'wrong type', 'sent of sentence 10 is 3'),
        (of_sentence(sent=None), 'wrong type', 'sent of sentence 10 is None'),
        (of_sentence(sent_id='x'), 'wrong type', "sent_id must be an int, got 'x'"),
        (of_sentence(sent_id=11), 'duplicate sent_id', '11 is that of an earlier sentence'),
        (of_sentence(sent_id=20), 'duplicate sent_id', '20 is that of an earlier sentence'),
        (of_image(height=0), 'image size', 'image 1 has size 16x0'),
        (of_image(width=16.0), 'image size', 'image 1 has size 16.0x12'),
        (of_image(file_name=''), 'image file name', "image 1 has file_name ''"),
        (of_image(file_name=7), 'image file name', 'image 1 has file_name 7'),
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
