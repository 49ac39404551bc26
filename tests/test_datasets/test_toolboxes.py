# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A dataset in the layouts of three toolboxes."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from mmseg_remamber.datasets.toolboxes import categories_of, write_split

SIZE = 40


def polygon(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


@pytest.fixture
def instances(tmp_path):
    """A picture with a large square, a small one on it and a crowd; and one with nothing."""
    (tmp_path / 'pictures' / 'deep').mkdir(parents=True)
    for name in ('deep/one.jpg', 'two.jpg'):
        pixels = np.random.default_rng(0).integers(256, size=(SIZE, SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'pictures' / name)

    def annotation(number, category, box, **more):
        left, top, right, bottom = box
        return dict(
            id=number, image_id=1, category_id=category, segmentation=polygon(*box), iscrowd=0,
            bbox=[left, top, right - left, bottom - top], area=(right - left) * (bottom - top),
        ) | more  # fmt: skip

    return dict(
        images=[
            dict(id=1, file_name='deep/one.jpg', height=SIZE, width=SIZE),
            dict(id=2, file_name='two.jpg', height=SIZE, width=SIZE),
        ],
        annotations=[
            annotation(10, 7, (12, 12, 20, 20)),
            annotation(11, 3, (4, 4, 36, 28)),
            annotation(
                12, 7, (0, 30, 40, 40), iscrowd=1,
                segmentation=dict(size=[SIZE, SIZE], counts=([30, 10] * SIZE)),
            ),
        ],
        categories=[dict(id=9, name='absent'), dict(id=3, name='large'), dict(id=7, name='small')],
    )  # fmt: skip


def write(instances, tmp_path, **options):
    categories = categories_of(instances, {1, 2})
    return write_split(
        instances, {1, 2}, categories, tmp_path / 'pictures', tmp_path / 'out', 'train', **options
    )


def test_classes_are_those_with_objects(instances):
    assert [record['name'] for record in categories_of(instances, {1})] == ['large', 'small']
    assert categories_of(instances, {2}) == []


def test_for_detection(instances, tmp_path):
    assert write(instances, tmp_path)[:2] == (2, 3)
    coco = COCO(tmp_path / 'out' / 'instances_train.json')
    assert sorted(coco.getCatIds()) == [3, 7]
    assert sorted(coco.getAnnIds(iscrowd=True)) == [12]
    for image in coco.loadImgs(coco.getImgIds()):
        assert (tmp_path / 'out' / 'images' / 'train' / image['file_name']).is_file()


def test_for_semantic_segmentation_the_smallest_is_seen(instances, tmp_path):
    write(instances, tmp_path)
    folder = tmp_path / 'out' / 'semantic' / 'train'
    classes = np.asarray(Image.open(folder / 'one.png'))
    want = np.zeros((SIZE, SIZE), np.uint8)
    want[30:] = 2  # a crowd
    want[4:28, 4:36] = 1
    want[12:20, 12:20] = 2
    assert classes.dtype == np.uint8
    assert np.array_equal(classes, want)
    assert not np.asarray(Image.open(folder / 'two.png')).any()


def test_for_classification(instances, tmp_path):
    """Objects with a margin that ends at the picture's border; neither crowds nor tiny ones."""
    assert write(instances, tmp_path).cutouts == 1
    folder = tmp_path / 'out' / 'cutouts' / 'train'
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*')) == [
        'large', 'large/11.png', 'small',
    ]  # fmt: skip
    cutout = np.asarray(Image.open(folder / 'large' / '11.png'))
    picture = np.asarray(Image.open(tmp_path / 'pictures' / 'deep' / 'one.jpg'))
    assert np.array_equal(cutout, picture[0:31, 0:39])
    assert write(instances, tmp_path, least_side=8).cutouts == 2


def test_more_classes_than_a_byte_tells_apart(instances, tmp_path):
    many = [dict(id=i, name=str(i)) for i in range(255)]
    with pytest.raises(ValueError, match='at most 254, got 255'):
        write_split(instances, {1}, many, tmp_path / 'pictures', tmp_path / 'out', 'train')


TOOL = 'tools/dataset_converters/toolboxes.py'


def test_the_command(script, scenes, tmp_path, capsys):
    out = tmp_path / 'out'
    script(TOOL, scenes, 'refshapes', 'synthetic', out, '--img-dir=images')
    names = (out / 'classes.txt').read_text().splitlines()
    for split in ('train', 'val'):
        records = json.loads((out / f'instances_{split}.json').read_text())
        assert [record['name'] for record in records['categories']] == names
        files = {image['file_name'] for image in records['images']}
        assert {path.name for path in (out / 'images' / split).iterdir()} == files
        assert len(list((out / 'semantic' / split).iterdir())) == len(files)
    assert 'cut-outs' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='exists'):
        script(TOOL, scenes, 'refshapes', 'synthetic', out, '--img-dir=images')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--img-dir=nowhere'], 'no image'),
        (['--img-dir=images', '--splits', 'val'], 'must have train'),
        (['--img-dir=images', '--splits', 'train', 'test9'], r"must be of \[.*\], got \['test9'\]"),
    ],
)
def test_what_is_refused_leaves_nothing_that_looks_whole(
    script, scenes, tmp_path, options, message
):
    with pytest.raises(SystemExit, match=message):
        script(TOOL, scenes, 'refshapes', 'synthetic', tmp_path / 'out', *options)
    assert not (tmp_path / 'out').exists()
