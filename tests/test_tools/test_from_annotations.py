# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The command that converts: what it says, its exit status, and the way to a mask."""

import json
import pickle
import runpy

import annotation_tools as tools
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmseg_remamber.checkpoints import read_checkpoint, weights_of
from mmseg_remamber.configuration import find_config

TOOL = 'tools/dataset_converters/from_annotations.py'


@pytest.fixture
def own(tmp_path):
    """Four pictures, LabelMe's files and a table; returns the arguments that convert them."""
    photos = tools.make_photos()
    tools.write_pictures(tmp_path / 'my photos', photos)
    tools.write_labelme(tmp_path / 'labels', photos)
    rows = tools.rows_of(photos, tools.label_numbers(photos))
    tools.write_rows(tmp_path / 'table.csv', rows)
    return [
        tmp_path / 'my set', '--pictures', tmp_path / 'my photos', '--labelme', tmp_path / 'labels',
        '--sentences', tmp_path / 'table.csv',
    ]  # fmt: skip


@pytest.fixture
def convert(script, capsys):
    """Runs the command -> exit status, what it printed, and what on stderr."""

    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            script(TOOL, *arguments)
        code, (out, err) = left.value.code, capsys.readouterr()
        return (1, out, err + code) if isinstance(code, str) else (code, out, err)

    return call


def test_it_says_what_came_in_what_went_out_and_what_is_next(own, convert):
    status, out, err = convert(*own, '--iterations', 12)
    assert (status, err) == (0, '')
    lines = out.splitlines()
    assert lines[0] == 'pictures: 4 in the folder = 4 with sentences'
    assert lines[1] == 'objects: 12 in pictures that can be used = 12 with sentences'
    assert lines[2] == 'sentences: 24 rows = 24 used'
    assert lines[3] == 'splits: of the table'
    assert lines[4] == 'train: 3 pictures, 9 objects, 18 sentences'
    assert lines[5] == 'val: 1 pictures, 3 objects, 6 sentences'
    assert lines[6].endswith('my set: written, read again as training reads it, and equal')
    folder = own[0]
    assert f"python tools/train.py '{folder}/finetune.py'" in out
    assert f"--checkpoint '{folder}/work/iter_12.pth'" in out
    assert (folder / 'report.txt').read_text() == '\n'.join(lines[:7]) + '\n'
    assert sorted(path.name for path in folder.iterdir()) == [
        'finetune.py', 'images', 'my set', 'report.txt'
    ]  # fmt: skip


def test_everything_bad_is_listed_and_the_status_says_so(own, convert, tmp_path):
    with (tmp_path / 'table.csv').open('a') as file:
        file.write('a.png,#9,no such object,train\na.png,cat,,train\n')
    status, out, err = convert(*own)
    assert (status, err) == (1, '')
    here = tmp_path / 'table.csv'
    assert (
        f"bad: {here}:26: no object '#9' in this picture; there are dog#1, red_cat#1, dog#2" in out
    )
    assert f'bad: {here}:27: the sentence is empty' in out
    assert '2 bad: nothing was written. Mend them, or leave them out by --skip-bad' in out
    assert not own[0].exists()
    status, out, err = convert(*own, '--skip-bad')
    assert (status, err) == (0, '')
    assert '2 bad, left out' in out
    assert f'bad: {here}:27: the sentence is empty' in (own[0] / 'report.txt').read_text()


def test_errors_are_sentences(own, convert, tmp_path):
    assert convert(*own[:-1], tmp_path / 'gone.csv') == (
        1, '', f'error: no table of sentences {tmp_path}/gone.csv'
    )  # fmt: skip
    status, out, err = convert(*own, '--checkpoint', 'gone.pth')
    assert (status, out, err) == (1, '', "error: no checkpoint 'gone.pth'")
    assert convert(*own, '--coco', 'x.json')[0] == 2  # two kinds of annotations
    assert convert(*own[:-2])[0] == 2  # no sentences


def test_names_of_categories(own, convert):
    status, out, _ = convert(
        *own[:-2], '--sentences-from-labels', '--val', '0.5', '--about', 'noise'
    )
    assert status == 0
    assert 'note: sentences are names of categories, nobody wrote them' in out
    assert 'sentences: 4 made of names of categories' in out
    assert 'splits: drawn with seed 0' in out
    assert 'val: 2 pictures' in out
    assert "pictures='noise'" in (own[0] / 'finetune.py').read_text()


def test_the_default_base_is_a_config(root):
    names = runpy.run_path(str(root / TOOL))
    assert find_config(names['DEFAULT_BASE']).is_file()


@pytest.mark.slow
def test_from_a_folder_of_pictures_to_a_mask_in_three_commands(run, own, tmp_path):
    """Those that the first prints, in a process each, and no line of code."""
    out = run(
        TOOL, *map(str, own), '--iterations', '4', '--batch-size', '2', '--about', 'coloured noise'
    )
    train, predict = (line.strip() for line in out.splitlines() if line.startswith('  python'))
    assert train == f"python tools/train.py '{own[0]}/finetune.py'"
    run('tools/train.py', str(own[0] / 'finetune.py'), '--cfg-options', 'log_level=WARNING')
    assert f"--checkpoint '{own[0]}/work/iter_4.pth' --out out" in predict
    said = run(
        'python', '-m', 'mmseg_remamber', str(tmp_path / 'my photos' / 'a.png'), 'the red cat',
        '--checkpoint', str(own[0] / 'work' / 'iter_4.pth'), '--out', str(tmp_path / 'out'),
    )  # fmt: skip
    assert 'coloured noise' in said
    with Image.open(tmp_path / 'out' / 'pred' / 'a_1.png') as mask:
        assert mask.size == (31, 23)
    (found,) = json.loads((tmp_path / 'out' / 'results.json').read_text())['annotations']
    assert found['text'] == 'the red cat'


@pytest.mark.slow
def test_training_starts_from_the_checkpoint(script, own, convert, tiny_checkpoint):
    """Without a learning rate it ends with the weights that it began with."""
    convert(*own, '--checkpoint', tiny_checkpoint, '--iterations', 2, '--batch-size', 2)
    script(
        'tools/train.py', own[0] / 'finetune.py', '--cfg-options', 'optim_wrapper.optimizer.lr=0'
    )
    began = weights_of(read_checkpoint(tiny_checkpoint))
    ended = weights_of(read_checkpoint(own[0] / 'work' / 'iter_2.pth'))
    moving = [name for name in began if 'running_' in name or 'num_batches' in name]
    assert len(moving) < len(began) / 2
    for name in set(began) - set(moving):  # statistics of batches move
        assert torch.equal(began[name], ended[name]), name


REAL = ('coco', 'labelme', 'cvat', 'mask-files', 'mask-values')


@pytest.fixture(scope='module')
def real(realdata):
    """Photographs of ``cocopos_derived`` with the objects that have sentences."""
    root = realdata / 'cocopos_derived'
    instances = json.loads((root / 'cocopos' / 'instances.json').read_text())
    refs = pickle.loads((root / 'cocopos' / 'refs(derived).p').read_bytes())
    images = {image['id']: image for image in instances['images']}
    annotations = {annotation['id']: annotation for annotation in instances['annotations']}
    labels = {category['id']: category['name'] for category in instances['categories']}
    photos = {}
    for ref in refs:
        image, annotation = images[ref['image_id']], annotations[ref['ann_id']]
        size = image['height'], image['width']
        name = image['file_name']
        photo = photos.setdefault(name, tools.Photo(name, np.empty((*size, 3)), [], ref['split']))
        thing = tools.Thing(
            labels[annotation['category_id']],
            tools.decode(annotation['segmentation'], *size),
            [sentence['sent'] for sentence in ref['sentences']],
        )
        thing.polygons = annotation['segmentation']
        photo.things.append(thing)
    return root / 'images' / 'coco2017', list(photos.values())


@pytest.mark.slow
@pytest.mark.parametrize('form', REAL)
def test_real_photographs_come_back_from_every_form(form, real, convert, tmp_path):
    """The masks to the last pixel, all sentences, and the splits."""
    pictures, photos = real
    call = tools.label_numbers(photos)
    match form:
        case 'coco':
            path = tools.write_coco(tmp_path / 'coco.json', photos, form='compressed')
            call = tools.coco_number(photos)
        case 'labelme':
            path = tools.write_labelme(tmp_path / 'labels', photos)
        case 'cvat':
            path = tools.write_cvat(tmp_path / 'annotations.xml', photos)
        case 'mask-files':
            path = tools.write_mask_files(tmp_path / 'masks', photos)
            call = lambda p, t: f'{photos[p].things[t].label}_{t}'  # noqa: E731
        case 'mask-values':  # one object hides another
            photos = without_overlaps(photos)
            path = tools.write_mask_values(tmp_path / 'masks', photos, mode='P')
            call = lambda p, t: 1 + t  # noqa: E731
    table = tools.write_rows(tmp_path / 'table.csv', tools.rows_of(photos, call))
    out = tmp_path / 'own'
    status, said, _ = convert(
        out, '--pictures', pictures, f'--{form}', path, '--sentences', table, '--link'
    )
    assert status == 0, said[-2000:]
    assert tools.read_truth(out) == tools.truth(photos)
    want = 334 if form != 'mask-values' else sum(len(t.sentences) for p in photos for t in p.things)
    assert sum(tools.read_truth(out).values()) == want > 300


def polygons_of(thing):
    """Outlines of an object, or nothing where it is a crowd, whose mask is of run lengths."""
    if isinstance(thing.polygons, dict):
        return []
    return [np.reshape(polygon, (-1, 2)).tolist() for polygon in thing.polygons]


def traced(thing):
    """Outlines through the middle of the outermost pixels, of parts that have an area."""
    outlines, _ = cv2.findContours(
        thing.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return [(outline[:, 0] + 0.5).tolist() for outline in outlines if cv2.contourArea(outline) > 4]


def write_outlines(form, folder, photos, outlines):
    """All outlines of an object are one group -> path."""
    shapes, group = [], 0
    for photo in photos:
        shapes.append([])
        for thing in photo.things:
            group += 1
            points = outlines(thing)
            if form == 'labelme':
                shapes[-1] += [
                    dict(label=thing.label, points=part, group_id=group) for part in points
                ] or [tools.labelme_mask(thing)]
            else:
                shapes[-1] += [
                    f'<polygon label="{thing.label}" group_id="{group}" points="'
                    + ';'.join(f'{x:.2f},{y:.2f}' for x, y in part)
                    + '"/>'
                    for part in points
                ] or [tools.cvat_mask(thing)]
    if form == 'labelme':
        return tools.write_labelme(folder / 'labels', photos, shapes=shapes)
    return tools.write_cvat(folder / 'annotations.xml', photos, shapes=shapes)


@pytest.mark.slow
@pytest.mark.parametrize('form', ['labelme', 'cvat'])
def test_outlines_of_real_objects_come_back_the_same(form, real, convert, tmp_path):
    """COCO's polygons, as the tools have them: CVAT with two decimals, which they have too."""
    pictures, photos = real
    path = write_outlines(form, tmp_path, photos, polygons_of)
    rows = tools.rows_of(photos, tools.label_numbers(photos))
    table = tools.write_rows(tmp_path / 'table.csv', rows)
    arguments = ('--pictures', pictures, f'--{form}', path, '--sentences', table, '--link')
    status, said, _ = convert(tmp_path / 'own', *arguments)
    assert status == 0, said[-2000:]
    assert tools.read_truth(tmp_path / 'own') == tools.truth(photos)


@pytest.mark.slow
def test_traced_outlines_of_real_objects_come_back_within_a_pixel(real, convert, tmp_path):
    pictures, photos = real
    path = write_outlines('labelme', tmp_path, photos, traced)
    rows = tools.rows_of(photos, tools.label_numbers(photos))
    table = tools.write_rows(tmp_path / 'table.csv', rows)
    arguments = ('--pictures', pictures, '--labelme', path, '--sentences', table, '--link')
    status, said, _ = convert(tmp_path / 'own', *arguments)
    assert status == 0, said[-2000:]
    size = {photo.name: photo.pixels.shape[:2] for photo in photos}
    things = {
        (photo.name, photo.split, sentence): thing
        for photo in photos
        for thing in photo.things
        for sentence in thing.sentences
    }
    held = tools.read_truth(tmp_path / 'own')
    assert {key[:3] for key in held} == set(things)
    for name, split, sentence, data in held:
        mask = np.frombuffer(data, bool).reshape(size[name])
        # an outline has no holes, and small parts have none
        filled = np.zeros(size[name], np.uint8)
        for part in traced(things[name, split, sentence]):
            cv2.fillPoly(filled, [np.array(part, np.float32).astype(np.int32)], 1)
        near = neighbours(filled > 0)
        assert not (mask & ~near.any(0)).any()
        assert not (near.all(0) & ~mask).any()


def neighbours(mask):
    """(9, H, W): each pixel and those around it, of which none is set out of the picture."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    return np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)])


def without_overlaps(photos):
    """Objects in front hide those behind; what is hidden wholly is left out."""
    visible = []
    for photo in photos:
        left = np.ones(photo.pixels.shape[:2], bool)
        things = []
        for thing in reversed(photo.things):
            things.append(tools.Thing(thing.label, thing.mask & left, thing.sentences))
            left &= ~thing.mask
        things = [thing for thing in reversed(things) if thing.mask.any()]
        if things:
            visible.append(tools.Photo(photo.name, photo.pixels, things, photo.split))
    return visible
