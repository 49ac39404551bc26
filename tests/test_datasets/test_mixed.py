# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixed training sets: no image of any member's val or test split is trained on."""

import pytest
from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS
from refer_folder import Folder, entries, make_ref

from mmseg_remamber.datasets import GRefCOCODataset, MixedRefDataset
from mmseg_remamber.datasets.mixed import image_key


def coco(number):
    return f'COCO_train2014_{number:012d}.png'


def make(path, name, numbers, splits, **arguments):
    """A dataset of an image, a ref and an annotation each of these COCO numbers and splits."""
    folder = Folder(path, name=name, **arguments)
    image, annotation = folder.images[0], folder.annotations[0]
    folder.images = [dict(image, id=n, file_name=coco(n)) for n in numbers]
    folder.annotations = [dict(annotation, id=10 + n, image_id=n) for n in numbers]
    folder.refs = [
        make_ref(20 + n, 10 + n, n, [f'{name} {n}'], split) for n, split in zip(numbers, splits)
    ]
    return folder


@pytest.fixture
def members(tmp_path):
    """Image 1 is trained on in both, 2 tested on in the first, 3 in the second, 4 in both."""
    first = make(tmp_path, 'first', [1, 2, 3, 4], ['train', 'testAB', 'train', 'val'])
    second = make(tmp_path, 'second', [1, 2, 3, 4, 5], ['train', 'train', 'val', 'test', 'train'])
    return first.write(), second.write()


def texts(dataset):
    return [e['sentences'][0] for e in entries(dataset)]


def test_images_held_out_by_any_member_are_removed_from_all(members, log):
    mixed = MixedRefDataset([member.read() for member in members])
    assert texts(mixed) == ['first 1', 'second 1', 'second 5']
    assert len(mixed) == 3
    assert mixed.removed == [dict(images=1, refs=1), dict(images=1, refs=1)]
    assert 'first(me): removed 1 of 2 training images (1 of 2 refs)' in log[0]
    assert 'second(me): removed 1 of 3 training images (1 of 3 refs)' in log[1]


def test_from_configs(members):
    config = dict(
        type='MixedRefDataset',
        datasets=[
            dict(
                type='RefCOCODataset', data_root=str(member.path), dataset=member.name,
                split_by='me', split='train', img_dir='images',
            )
            for member in members
        ],
    )  # fmt: skip
    assert texts(DATASETS.build(config)) == ['first 1', 'second 1', 'second 5']


def test_several_refs_of_an_image_count_as_one_image(members):
    first, second = members
    second.refs.append(make_ref(90, 12, 2, ['again']))
    mixed = MixedRefDataset([first.read(), second.write().read()])
    assert mixed.removed[1] == dict(images=1, refs=2)


def test_a_single_member_may_hold_out_its_own(tmp_path):
    """RefCOCOg's google split has images in train and val."""
    folder = make(tmp_path, 'own', [1, 2], ['train', 'train'])
    folder.annotations.append(dict(folder.annotations[0], id=30))
    folder.refs.append(make_ref(90, 30, 1, ['other object'], 'val'))
    assert texts(MixedRefDataset([folder.write().read()])) == ['own 2']


def test_images_of_refs_that_are_dropped_are_held_out_too(members):
    first, second = members
    first.refs[1]['sentences'][0]['sent'] = ''
    first.write()
    mixed = MixedRefDataset([first.read(strict=False), second.read(strict=False)])
    assert texts(mixed) == ['first 1', 'second 1', 'second 5']


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_a_ref_without_a_field_is_named_with_its_member(members, key):
    first, second = members
    del second.refs[1][key]
    second.write()
    with pytest.raises(ValueError, match=rf'second/refs\(me\)\.p: missing {key}: it has no field'):
        MixedRefDataset([first.read(lazy_init=True), second.read(lazy_init=True)])


def test_other_names_and_folders_of_one_coco_image(members, tmp_path):
    first, _ = members
    (tmp_path / 'b').mkdir()
    second = make(tmp_path / 'b', 'second', [2, 5], ['train', 'train'])
    for image in second.images:
        image['file_name'] = f'{image["id"]:012d}.png'  # as the 2017 release has it
    mixed = MixedRefDataset([first.read(), second.write().read()])
    assert texts(mixed) == ['first 1', 'first 3', 'second 5']


def test_grefcoco_may_be_a_member(members):
    first, _ = members
    second = make(first.path, 'third', [2, 5], ['train', 'train'], stem='grefs')
    for ref in second.refs:
        ref['ann_id'] = [ref['ann_id']]
    second.write()
    mixed = MixedRefDataset([first.read(), second.read(kind=GRefCOCODataset)])
    assert texts(mixed) == ['first 1', 'first 3', 'third 5']


def test_image_key(tmp_path):
    assert (
        image_key('a/COCO_train2014_000000000025.jpg')
        == image_key('/b/c/COCO_val2014_000000000025.png')
        == image_key('000000000025.jpg')
        == 'coco 25'
    )
    # other numbers are another collection's
    (tmp_path / 'images').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'images')
    key = image_key(str(tmp_path / 'images' / '25.jpg'))
    assert (
        key == image_key(str(tmp_path / 'link' / '25.jpg')) == str(tmp_path / 'images' / '25.jpg')
    )
    assert image_key('00/images/25.jpg') != image_key('01/images/25.jpg')


def test_errors(members):
    first, second = members
    with pytest.raises(ValueError, match='datasets must have a member'):
        MixedRefDataset([])
    with pytest.raises(ValueError, match=r"of split 'train' .*second with split 'val'"):
        MixedRefDataset([first.read(), second.read('val')])
    with pytest.raises(ValueError, match='test_mode True'):
        MixedRefDataset([first.read(test_mode=True)])

    class Other(BaseDataset):
        METAINFO = first.read().METAINFO

    with pytest.raises(TypeError, match='must be RefCOCODataset, got Other'):
        MixedRefDataset([first.read(), Other(lazy_init=True)])


def test_nothing_left(tmp_path):
    first = make(tmp_path, 'first', [1], ['train']).write()
    second = make(tmp_path, 'second', [1, 2], ['val', 'train']).write()
    with pytest.raises(ValueError, match=r'first\(me\): no training image is left'):
        MixedRefDataset([first.read(), second.read()])
