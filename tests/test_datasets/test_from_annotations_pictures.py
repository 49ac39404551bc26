# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures: the names by which they are called, and those that their EXIF tag turns."""

import json
import unicodedata

import annotation_tools as tools
import numpy as np
import pytest
from PIL import Image, ImageOps

from mmseg_remamber.datasets import RefCOCODataset
from mmseg_remamber.datasets.annotations import Annotations, FineTuning, Table, convert_annotations
from mmseg_remamber.datasets.annotations.pictures import Ambiguous, PictureFolder
from mmseg_remamber.datasets.transforms.loading import LoadRefImage

TRAINING = FineTuning('remamber-conv_vmamba-mini_1xb48-1200i_refcoco-192x192', None, 2, 3)


@pytest.fixture
def folder(tmp_path):
    for name in (
        'a.jpg', 'a.png', 'b.JPG', 'My dog, left.png', 'été.png', 'sub/c.png', 'sub/deep/d.png',
        'other/d.png', 'e.tar.png', '.hidden.png', '.cache/f.png', 'notes.txt', 'raw.HEIC',
    ):  # fmt: skip
        path = tmp_path / 'p' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'')
    return PictureFolder(tmp_path / 'p')


@pytest.mark.parametrize(
    ('called', 'meant'),
    [
        ('a.jpg', 'a.jpg'),
        ('a.png', 'a.png'),
        ('b.JPG', 'b.JPG'),
        ('b.jpg', 'b.JPG'),
        ('B', 'b.JPG'),
        (' b ', 'b.JPG'),
        ('My dog, left.png', 'My dog, left.png'),
        ('My dog, left', 'My dog, left.png'),
        (unicodedata.normalize('NFD', 'été.png'), 'été.png'),
        ('ÉTÉ', 'été.png'),
        ('c', 'sub/c.png'),
        ('sub/c.png', 'sub/c.png'),
        ('/home/me/photos/sub/c.png', 'sub/c.png'),
        ('D:\\photos\\sub\\c.png', 'sub/c.png'),
        ('..\\sub\\c.png', 'sub/c.png'),
        ('./a.jpg', 'a.jpg'),
        ('train2017/a.jpg', 'a.jpg'),
        ('deep/d.png', 'sub/deep/d.png'),
        ('other/d', 'other/d.png'),
        ('e.tar', 'e.tar.png'),
    ],
)
def test_pictures_are_found_by_what_they_are_called(folder, called, meant):
    assert folder.find(called) == meant


@pytest.mark.parametrize(
    ('called', 'error', 'message'),
    [
        ('a', Ambiguous, "picture 'a' may be each of a.jpg, a.png"),
        ('d.png', Ambiguous, "picture 'd.png' may be each of other/d.png, sub/deep/d.png"),
        ('elsewhere/c.png', LookupError, "no picture 'elsewhere/c.png' in .*mean sub/c.png"),
        ('a.jpeg', LookupError, "no picture 'a.jpeg' in .*did you mean a.jpg"),
        ('f.png', LookupError, "no picture 'f.png'"),
        ('', LookupError, "no picture ''"),
        ('..', LookupError, r"no picture '\.\.'"),
    ],
)
def test_names_that_mean_none_or_several(folder, called, error, message):
    with pytest.raises(error, match=message):
        folder.find(called)


def test_other_files_are_counted(folder):
    assert folder.others == {'.txt': 1, '.heic': 1}
    assert len(folder.names) == 9


def test_linked_folders_are_entered_once(tmp_path):
    (tmp_path / 'p').mkdir()
    (tmp_path / 'real' / 'deep').mkdir(parents=True)
    (tmp_path / 'real' / 'deep' / 'a.png').write_bytes(b'')
    (tmp_path / 'p' / 'linked').symlink_to(tmp_path / 'real')
    (tmp_path / 'real' / 'deep' / 'circle').symlink_to(tmp_path / 'real')
    assert PictureFolder(tmp_path / 'p').names == ['linked/deep/a.png']


def test_a_folder_of_masks_among_the_pictures_is_none_of_pictures(tmp_path):
    for name in ('a.jpg', 'masks/a.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'')
    assert PictureFolder(tmp_path, exclude=tmp_path / 'masks').names == ['a.jpg']
    assert PictureFolder(tmp_path).names == ['a.jpg', 'masks/a.png']


def test_file_names_of_another_encoding_are_told(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'')
    with open(bytes(tmp_path) + b'/\xe9t\xe9.png', 'wb'):
        pass
    with pytest.raises(ValueError, match=r'rename the file .*dce9t.*: its name is no UTF-8'):
        PictureFolder(tmp_path)


def test_two_pictures_of_one_name_after_they_are_turned(tmp_path):
    photos = tools.make_photos()
    turned_files(tmp_path / 'pictures', photos, 6)
    photos[1].name = f'{photos[0].name}.png'
    Image.fromarray(photos[1].pixels).save(tmp_path / 'pictures' / photos[1].name)
    path = tools.write_labelme(tmp_path / 'labelme', photos)
    args = (tmp_path / 'own', tmp_path / 'pictures', Annotations('labelme', path), None, TRAINING)
    with pytest.raises(ValueError, match=r'two pictures would be written to a\.png\.png: rename'):
        convert_annotations(*args)


def test_folders_without_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match='no folder of pictures'):
        PictureFolder(tmp_path / 'gone')
    with pytest.raises(FileNotFoundError, match=r'no picture \(.bmp, .*\) in'):
        PictureFolder(tmp_path)


def test_one_stem_with_two_suffixes(tmp_path):
    """Their masks are named after the whole file."""
    photos = tools.make_photos(names=('x.png', 'x.bmp', 'y.png'))
    tools.write_pictures(tmp_path / 'pictures', photos)
    for photo in photos:
        for number, thing in enumerate(photo.things):
            path = tmp_path / 'masks' / photo.name / f'{number}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(thing.mask).save(path)
    table = tools.write_rows(tmp_path / 't.csv', tools.rows_of(photos, lambda p, t: t))
    annotations = Annotations('mask-files', tmp_path / 'masks')
    args = (tmp_path / 'own', tmp_path / 'pictures', annotations, Table(table), TRAINING)
    assert convert_annotations(*args).report.problems == []
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)


def turned_files(folder, photos, orientation, suffix='png'):
    """Store pictures so that their EXIF tag turns them to what the photos show."""
    undo = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270,
            3: Image.Transpose.ROTATE_180, 5: Image.Transpose.TRANSPOSE,
            2: Image.Transpose.FLIP_LEFT_RIGHT}[orientation]  # fmt: skip
    folder.mkdir()
    for photo in photos:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(photo.pixels).transpose(undo)
        photo.name = f'{photo.name[0]}.{suffix}'
        image.save(folder / photo.name, exif=exif, quality=100, subsampling=0)
        with Image.open(folder / photo.name) as stored:
            shown = np.asarray(ImageOps.exif_transpose(stored))
        assert np.abs(shown.astype(int) - photo.pixels).mean() < (1 if suffix == 'png' else 6)
    return undo


@pytest.mark.parametrize('orientation', [2, 3, 5, 6, 8])
def test_a_turned_picture_is_written_upright_and_its_masks_lie_on_it(tmp_path, orientation):
    """As people saw it when they drew, and as the model sees it when it is asked."""
    photos = tools.make_photos()
    turned_files(tmp_path / 'pictures', photos, orientation)
    path = tools.write_labelme(tmp_path / 'labelme', photos)
    rows = tools.rows_of(photos, tools.label_numbers(photos))
    table = tools.write_rows(tmp_path / 't.csv', rows)
    done = convert_annotations(
        tmp_path / 'own',
        tmp_path / 'pictures',
        Annotations('labelme', path),
        Table(table),
        TRAINING,
    )
    assert any(note.startswith('4 pictures are turned') for note in done.report.notes)
    for photo in photos:
        photo.name += '.png'  # written anew
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)
    dataset = RefCOCODataset(str(tmp_path / 'own'), 'own', 'own', 'val', 'images')
    loaded = LoadRefImage().transform(dict(dataset[0]))['img'][..., ::-1]
    np.testing.assert_array_equal(loaded, photos[1].pixels)


@pytest.mark.parametrize('orientation', [2, 3, 6, 8])
def test_masks_on_the_stored_picture_are_turned_along(tmp_path, orientation):
    photos = tools.make_photos()
    undo = turned_files(tmp_path / 'pictures', photos, orientation)
    stored = [
        tools.Photo(
            photo.name,
            np.asarray(Image.fromarray(photo.pixels).transpose(undo)),
            [
                tools.Thing(
                    thing.label,
                    np.asarray(Image.fromarray(thing.mask).transpose(undo)),
                    thing.sentences,
                )
                for thing in photo.things
            ],
            photo.split,
        )
        for photo in photos
    ]
    path = tools.write_coco(tmp_path / 'coco.json', stored)
    table = tools.write_rows(tmp_path / 't.csv', tools.rows_of(photos, tools.coco_number(photos)))
    pictures = tmp_path / 'pictures'
    if orientation >= 5:  # the sizes tell
        done = convert_annotations(
            tmp_path / 'own', pictures, Annotations('coco', path), Table(table), TRAINING
        )
        assert done.counts is None
        assert done.report.problems[0].message == (
            'annotated at 23 x 31 pixels, picture a.png has 31 x 23; 23 x 31 it has before its '
            'EXIF tag turns it: give --exif stored'
        )
    convert_annotations(
        tmp_path / 'own', pictures, Annotations('coco', path, exif='stored'), Table(table), TRAINING
    )
    for photo in photos:
        photo.name += '.png'
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)
    instances = json.loads((tmp_path / 'own' / 'own' / 'instances.json').read_text())
    assert (instances['images'][0]['width'], instances['images'][0]['height']) == (31, 23)


def test_a_size_as_shown_where_stored_is_said(tmp_path):
    photos = tools.make_photos()
    turned_files(tmp_path / 'pictures', photos, 6)
    path = tools.write_coco(tmp_path / 'coco.json', photos)
    args = (tmp_path / 'own', tmp_path / 'pictures', Annotations('coco', path, exif='stored'), None)
    done = convert_annotations(*args, TRAINING)
    assert done.report.problems[0].message.endswith(
        '31 x 23 it has when its EXIF tag has turned it: give --exif turned'
    )


def test_a_turned_jpeg_stays_one(tmp_path):
    """Written anew at quality 95, without the tag; a link is not made of it, of others is."""
    ramp = np.linspace(0, 255, 31 * 23 * 3).reshape(23, 31, 3).astype(np.uint8)
    photos = tools.make_photos()
    for photo in photos:
        photo.pixels = np.resize(ramp, photo.pixels.shape)
    turned_files(tmp_path / 'pictures', photos, 6, 'jpg')
    Image.fromarray(photos[0].pixels).save(tmp_path / 'pictures' / 'a.jpg')
    path = tools.write_labelme(tmp_path / 'labelme', photos)
    rows = tools.rows_of(photos, tools.label_numbers(photos))
    table = tools.write_rows(tmp_path / 't.csv', rows)
    convert_annotations(
        tmp_path / 'own', tmp_path / 'pictures', Annotations('labelme', path), Table(table),
        TRAINING, link=True,
    )  # fmt: skip
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)
    images = tmp_path / 'own' / 'images'
    assert (images / 'a.jpg').is_symlink()
    assert not (images / 'd.jpg').is_symlink()
    with Image.open(images / 'd.jpg') as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert np.abs(np.asarray(image).astype(int) - photos[3].pixels).mean() < 6


def test_exif_has_two_values(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r"exif must be one of \('turned', 'stored'\), got 'x'"):
        PictureFolder(tmp_path, exif='x')
