# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Every form of annotations, there and back; shapes beside geometry; objects by their names."""

import json
import math
import shutil

import annotation_tools as tools
import numpy as np
import pytest
from PIL import Image

from mmseg_remamber.datasets import RefCOCODataset
from mmseg_remamber.datasets.annotations import (
    Annotations,
    FineTuning,
    Shares,
    Table,
    convert_annotations,
)
from mmseg_remamber.datasets.annotations.shapes import ellipse, turned_rectangle

MINI = 'remamber-conv_vmamba-mini_1xb48-1200i_refcoco-192x192'
TRAINING = FineTuning(MINI, None, 2, 3)
DRAWN = Shares()


@pytest.fixture
def convert(tmp_path):
    """Convert what lies in tmp_path: pictures, an annotation file or folder, table.csv."""

    def call(form, path, table='table.csv', *, training=TRAINING, shares=DRAWN, **options):
        how = {key: options.pop(key) for key in ('background', 'exif') if key in options}
        return convert_annotations(
            tmp_path / 'own',
            tmp_path / 'pictures',
            Annotations(form, path, **how),
            None if table is None else Table(tmp_path / table),
            training,
            shares=shares,
            **options,
        )

    return call


@pytest.fixture
def photos(tmp_path):
    photos = tools.make_photos()
    tools.write_pictures(tmp_path / 'pictures', photos)
    return photos


def write(form, folder, photos):
    """Write one form -> path, and how its objects are called in a table."""
    match form:
        case 'coco, runs' | 'coco, compressed':
            path = tools.write_coco(folder / 'coco.json', photos, form=form.split()[1])
            return path, tools.coco_number(photos)
        case 'labelme':
            return tools.write_labelme(folder / 'labelme', photos), tools.label_numbers(photos)
        case 'cvat':
            return tools.write_cvat(folder / 'a.xml', photos), tools.label_numbers(photos)
        case 'mask-files, nested' | 'mask-files, flat' | 'mask-files, ones':
            path = tools.write_mask_files(
                folder / 'masks', photos, flat='flat' in form, value=1 if 'ones' in form else 255
            )
            return path, lambda p, t: f'{photos[p].things[t].label}_{t}'
        case 'mask-values, L' | 'mask-values, P' | 'mask-values, I;16':
            mode = form.split()[1]
            path = tools.write_mask_values(folder / 'masks', photos, mode=mode)
            return path, lambda p, t: (t + 1) * (1000 if mode == 'I;16' else 1)


FORMS = (
    'coco, runs', 'coco, compressed', 'labelme', 'cvat', 'mask-files, nested', 'mask-files, flat',
    'mask-files, ones', 'mask-values, L', 'mask-values, P', 'mask-values, I;16',
)  # fmt: skip


@pytest.mark.parametrize('form', FORMS)
def test_masks_sentences_and_splits_come_back_the_same(form, tmp_path, photos, convert):
    path, call = write(form, tmp_path, photos)
    tools.write_rows(tmp_path / 'table.csv', tools.rows_of(photos, call))
    done = convert(form.split(',')[0], path)
    assert done.report.problems == []
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)
    assert done.counts == {
        'train': dict(pictures=3, objects=9, sentences=18),
        'val': dict(pictures=1, objects=3, sentences=6),
    }
    for photo in photos:  # the files themselves
        written = tmp_path / 'own' / 'images' / photo.name
        assert written.read_bytes() == (tmp_path / 'pictures' / photo.name).read_bytes()


def test_training_reads_what_was_written(tmp_path, photos, convert):
    path, call = write('labelme', tmp_path, photos)
    tools.write_rows(tmp_path / 'table.csv', tools.rows_of(photos, call))
    convert('labelme', path, link=True)
    assert (tmp_path / 'own' / 'images' / 'a.png').is_symlink()
    dataset = RefCOCODataset(str(tmp_path / 'own'), 'own', 'own', 'train', 'images')
    assert len(dataset) == 9
    assert sorted(dataset[0]['sentences']) == ['dog 0 of picture 0', 'thing 0']


@pytest.mark.parametrize('form', ['labelme', 'cvat'])
def test_shapes_of_a_group_are_one_object(form, tmp_path, photos, convert):
    """A mask, a polygon and a box of one label and group; another label of that group stays out."""
    photo = photos[0]
    blob = tools.Thing('dog', np.zeros(photo.pixels.shape[:2], bool), [])
    blob.mask[3:6, 4:9] = True
    if form == 'labelme':
        shapes = [
            tools.labelme_mask(blob, group_id=7),
            dict(label='cat', shape_type='rectangle', points=[[0, 0], [2, 2]], group_id=7),
            dict(label='dog', points=[[10, 2], [14, 2], [14, 5], [10, 5]], group_id=7),
            dict(label='dog', shape_type='rectangle', points=[[20, 12], [17, 10]], group_id=7),
            dict(label='dog', shape_type='rectangle', points=[[1, 15], [3, 17]], group_id=None),
        ]
        path = tools.write_labelme(tmp_path / 'json', photos[:2], shapes=[shapes, shapes[1:2]])
    else:
        shapes = [
            tools.cvat_mask(blob).replace('z_order', 'group_id="7" z_order'),
            '<box label="cat" group_id="7" xtl="0" ytl="0" xbr="2" ybr="2"/>',
            '<polygon label="dog" group_id="7" points="10,2;14,2;14.0,5.0;10,5"></polygon>',
            '<box label="dog" group_id="7" xtl="17" ytl="10" xbr="20" ybr="12"></box>',
            '<box label="dog" xtl="1" ytl="15" xbr="3" ybr="17"></box>',
        ]
        path = tools.write_cvat(tmp_path / 'a.xml', photos[:2], shapes=[shapes, shapes[1:2]])
    tools.write_rows(
        tmp_path / 'table.csv',
        [
            ['a.png', 'dog#1', 'the group', 'train'],
            ['a.png', 'dog#2', 'alone', 'train'],
            ['a.png', 'cat', 'a cat', 'train'],
            ['b 1.png', '', 'the only one', 'val'],
        ],
    )
    assert convert(form, path).report.problems == []
    group = blob.mask.copy()
    group[2:5, 10:14] = group[10:12, 17:20] = True
    alone, cat = np.zeros_like(group), np.zeros_like(group)
    alone[15:17, 1:3] = cat[:2, :2] = True
    other = np.zeros(photos[1].pixels.shape[:2], bool)
    other[:2, :2] = True
    assert tools.read_truth(tmp_path / 'own') == {
        ('a.png', 'train', 'the group', group.tobytes()): 1,
        ('a.png', 'train', 'alone', alone.tobytes()): 1,
        ('a.png', 'train', 'a cat', cat.tobytes()): 1,
        ('b 1.png', 'val', 'the only one', other.tobytes()): 1,
    }


def coco_polygons(tmp_path, photos, polygons):
    """One object a picture, of these polygons."""
    path = tools.write_coco(tmp_path / 'coco.json', photos)
    content = json.loads(path.read_text())
    content['annotations'] = [
        dict(id=i, image_id=i, category_id=0, segmentation=parts)
        for i, parts in enumerate(polygons, start=1)
    ]
    path.write_text(json.dumps(content))
    return path


def test_polygons_of_coco_stay_what_they_are(tmp_path, photos, convert):
    two = [[2.0, 2.0, 8.5, 2.0, 8.0, 8.0], [10, 10, 15, 10, 15, 16, 10, 16]]
    one = [[1, 1, 5, 1, 5, 5]]
    path = coco_polygons(tmp_path, photos, [two, one])
    rows = [['a.png', 1, 'two parts', 'train'], ['b 1.png', 2, 'one part', 'val']]
    tools.write_rows(tmp_path / 'table.csv', rows)
    convert('coco', path)
    instances = json.loads((tmp_path / 'own' / 'own' / 'instances.json').read_text())
    assert [a['segmentation'] for a in instances['annotations']] == [two, one]
    assert [a['called'] for a in instances['annotations']] == ['1', '2']
    mask = tools.decode(two, *photos[0].pixels.shape[:2])
    rows, columns = np.nonzero(mask)
    assert instances['annotations'][0]['area'] == mask.sum()
    assert instances['annotations'][0]['bbox'] == [
        columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
    ]  # fmt: skip


def distance(points, height, width):
    """Distance of each pixel's centre from an outline, and whether it lies inside (even-odd)."""
    y, x = np.mgrid[:height, :width] + 0.5
    nearest, inside = np.full((height, width), np.inf), np.zeros((height, width), bool)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12)
        t = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)))
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide='ignore', invalid='ignore'):
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return nearest, inside


@pytest.mark.parametrize('form', ['labelme', 'cvat'])
def test_a_polygon_covers_what_lies_in_it_within_a_pixel(form, tmp_path, photos, convert):
    points = [(3.2, 4.1), (20.7, 2.3), (27.9, 11.4), (14.4, 9.9), (9.6, 20.2)]
    if form == 'labelme':
        shapes = [dict(label='star', shape_type='polygon', points=[list(p) for p in points])]
        path = tools.write_labelme(tmp_path / 'j', photos[:2], shapes=[shapes, shapes])
    else:
        text = ';'.join(f'{x:.2f},{y:.2f}' for x, y in points)
        shapes = [f'<polygon label="star" points="{text}" z_order="0"></polygon>']
        path = tools.write_cvat(tmp_path / 'a.xml', photos[:2], shapes=[shapes, shapes])
    rows = [['a', 'star', 'a star', 'train'], ['b 1', 'star', 'a star', 'val']]
    tools.write_rows(tmp_path / 'table.csv', rows)
    convert(form, path)
    for (name, *_, data), photo in zip(sorted(tools.read_truth(tmp_path / 'own')), photos):
        assert name == photo.name
        height, width = photo.pixels.shape[:2]
        nearest, inside = distance(points, height, width)
        mask = np.frombuffer(data, bool).reshape(height, width)
        assert not (mask != inside)[nearest > 1].any()
        assert 60 < (inside & (nearest > 1)).sum() < mask.sum()


@pytest.mark.parametrize('centre', [(40, 30), (3, 50), (77.3, 1.2)])
@pytest.mark.parametrize('radii', [(12.5, 7.0), (30, 45), (1.4, 200)])
@pytest.mark.parametrize('degrees', [0, 30, 137.5])
def test_ellipses_beside_their_equation(centre, radii, degrees):
    """Reaching out of the picture too, whose border counts for no outline."""
    height, width = 61, 81
    y, x = np.mgrid[:height, :width] + 0.5
    turn = math.radians(degrees)
    u = (x - centre[0]) * math.cos(turn) + (y - centre[1]) * math.sin(turn)
    v = (y - centre[1]) * math.cos(turn) - (x - centre[0]) * math.sin(turn)
    outer = np.hypot(u / (radii[0] + 1), v / (radii[1] + 1)) <= 1
    inner = np.hypot(u / max(radii[0] - 1, 0.1), v / max(radii[1] - 1, 0.1)) <= 1
    mask = tools.decode(ellipse(centre, radii, degrees, width, height), height, width)
    assert not (mask & ~outer).any()
    assert not (inner & ~mask).any()
    assert mask.any()


@pytest.mark.parametrize('degrees', [0, 45, 90, 200])
def test_turned_boxes_beside_geometry(degrees):
    height, width = 50, 70
    corners = (20, 15, 75, 30)
    cx, cy = 47.5, 22.5
    turn = math.radians(degrees)
    points = [
        (
            cx + (x - cx) * math.cos(turn) - (y - cy) * math.sin(turn),
            cy + (x - cx) * math.sin(turn) + (y - cy) * math.cos(turn),
        )
        for x, y in ((20, 15), (75, 15), (75, 30), (20, 30))
    ]
    nearest, inside = distance(points, height, width)
    mask = tools.decode(turned_rectangle(corners, degrees, width, height), height, width)
    assert not (mask != inside)[nearest > 1].any()
    assert mask.any()


@pytest.mark.parametrize('form', ['labelme', 'cvat'])
def test_circles_and_ellipses_of_tools(form, tmp_path, photos, convert):
    """LabelMe's circle is a centre and a point on it; CVAT's ellipse has radii and an angle."""
    if form == 'labelme':
        shapes = [dict(label='ball', shape_type='circle', points=[[12, 10], [15, 14]])]
        path = tools.write_labelme(tmp_path / 'j', photos[:2], shapes=[shapes, shapes])
        radii = (5, 5)
    else:
        shapes = ['<ellipse label="ball" cx="12" cy="10" rx="8" ry="3" rotation="90.00"/>']
        path = tools.write_cvat(tmp_path / 'a.xml', photos[:2], shapes=[shapes, shapes])
        radii = (3, 8)
    rows = [['a', 'ball', 'a ball', 'train'], ['b 1', 'ball', 'a ball', 'val']]
    tools.write_rows(tmp_path / 'table.csv', rows)
    convert(form, path)
    for (*_, data), photo in zip(sorted(tools.read_truth(tmp_path / 'own')), photos):
        height, width = photo.pixels.shape[:2]
        y, x = np.mgrid[:height, :width] + 0.5
        mask = np.frombuffer(data, bool).reshape(height, width)
        assert not (
            mask & (np.hypot((x - 12) / (radii[0] + 1), (y - 10) / (radii[1] + 1)) > 1)
        ).any()
        assert mask[np.hypot((x - 12) / (radii[0] - 1), (y - 10) / (radii[1] - 1)) <= 1].all()


def test_names_of_categories_become_sentences_where_they_mean_one_object(tmp_path, photos, convert):
    """Two dogs in each picture get none; an underscore is a blank; and the output says so."""
    path, _ = write('coco, runs', tmp_path, photos)
    done = convert('coco', path, None)
    held = tools.read_truth(tmp_path / 'own')
    assert {(name, sentence) for name, _, sentence, _ in held} == {
        (photo.name, 'red cat') for photo in photos
    }
    assert done.account[2] == 'sentences: 4 made of names of categories'
    assert done.account[1] == (
        'objects: 12 in pictures that can be used = 4 with sentences + 8 without a sentence, kept '
        'beside those that have one'
    )
    assert any('nobody wrote them' in note for note in done.report.notes)
    assert any('dog (8)' in note for note in done.report.notes)
    instances = json.loads((tmp_path / 'own' / 'own' / 'instances.json').read_text())
    assert instances['info']['description'] == 'own; names of categories'


def test_stems_of_mask_files_become_sentences(tmp_path, photos, convert):
    path, _ = write('mask-files, nested', tmp_path, photos)
    convert('mask-files', path, None)
    assert {sentence for _, _, sentence, _ in tools.read_truth(tmp_path / 'own')} == {'red cat'}


def test_values_have_no_names_to_make_sentences_of(tmp_path, photos, convert):
    path, _ = write('mask-values, L', tmp_path, photos)
    with pytest.raises(ValueError, match='no object has a sentence'):
        convert('mask-values', path, None)


def test_values_of_the_background_are_no_object(tmp_path, photos, convert):
    path, call = write('mask-values, P', tmp_path, photos)
    rows = [row for row in tools.rows_of(photos, call) if row[1] != 2]
    tools.write_rows(tmp_path / 'table.csv', rows)
    done = convert('mask-values', path, background=(0, 2))
    assert done.account[1].startswith('objects: 8 in pictures that can be used = 8 with')


@pytest.mark.parametrize('mode', ['1', 'RGB', 'RGBA', 'LA'])
def test_masks_of_one_object_as_programs_save_them(mode, tmp_path, photos, convert):
    path, call = write('mask-files, nested', tmp_path, photos)
    for file in path.rglob('*.png'):
        Image.open(file).convert(mode).save(file)
    tools.write_rows(tmp_path / 'table.csv', tools.rows_of(photos, call))
    assert convert('mask-files', path).report.problems == []
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)


@pytest.mark.parametrize('form', ['mask-values, L', 'cvat', 'labelme', 'coco, compressed'])
def test_masks_of_twelve_megapixels(form, tmp_path, convert):
    rng = np.random.default_rng(0)
    photos = []
    for name in ('a.png', 'b.png'):
        owner = np.kron(rng.integers(0, 3, (40, 30)), np.ones((100, 100), np.uint8))
        pixels = np.repeat(owner[..., None] * 100, 3, 2).astype(np.uint8)
        things = [tools.Thing(f'part {i}', owner == i, [f'the {i}']) for i in (1, 2)]
        photos.append(tools.Photo(name, pixels, things, 'train' if name == 'a.png' else 'val'))
    tools.write_pictures(tmp_path / 'pictures', photos)
    path, call = write(form, tmp_path, photos)
    tools.write_rows(tmp_path / 'table.csv', tools.rows_of(photos, call))
    assert convert(form.split(',')[0], path).report.problems == []
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)


def test_crowds_are_objects_and_stay_marked(tmp_path, photos, convert):
    path, call = write('coco, runs', tmp_path, photos)
    content = json.loads(path.read_text())
    content['annotations'][1]['iscrowd'] = 1
    path.write_text(json.dumps(content))
    tools.write_rows(tmp_path / 'table.csv', tools.rows_of(photos, call))
    convert('coco', path)
    instances = json.loads((tmp_path / 'own' / 'own' / 'instances.json').read_text())
    crowds = [a['called'] for a in instances['annotations'] if a['iscrowd']]
    assert crowds == ['101']


def test_splits_are_drawn_by_picture_from_the_seed_alone(tmp_path, photos, convert):
    path, call = write('coco, runs', tmp_path, photos)
    columns = ('picture', 'object', 'sentence')
    rows = [row[:3] for row in tools.rows_of(photos, call)]
    splits = {}
    for seed, order in ((0, 1), (0, -1), (1, 1), (2, 1), (3, 1)):
        tools.write_rows(tmp_path / 'table.csv', rows[::order], columns)
        convert('coco', path, shares=Shares(val=0.25, test=0.25, seed=seed))
        found = {name: split for name, split, *_ in tools.read_truth(tmp_path / 'own')}
        assert sorted(found.values()) == ['test', 'train', 'train', 'val']
        assert len({(name, split) for name, split, *_ in tools.read_truth(tmp_path / 'own')}) == 4
        assert splits.setdefault(seed, found) == found
        shutil.rmtree(tmp_path / 'own')
    assert len({tuple(sorted(found.items())) for found in splits.values()}) > 1


def test_the_same_picture_twice_is_drawn_into_one_split(tmp_path, photos, convert):
    for copy in photos[1:3]:
        (tmp_path / 'pictures' / copy.name).write_bytes(
            (tmp_path / 'pictures' / photos[0].name).read_bytes()
        )
        copy.pixels, copy.things = photos[0].pixels, photos[0].things
    path, call = write('coco, runs', tmp_path, photos)
    columns = ('picture', 'object', 'sentence')
    tools.write_rows(
        tmp_path / 'table.csv', [row[:3] for row in tools.rows_of(photos, call)], columns
    )
    convert('coco', path, shares=Shares(val=0.5))
    found = {name: split for name, split, *_ in tools.read_truth(tmp_path / 'own')}
    assert len({found[photo.name] for photo in photos[:3]}) == 1
    assert len(set(found.values())) == 2
