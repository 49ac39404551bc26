# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefShapes: what it writes, and that its sentences mean one object each."""

import hashlib
import json
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmseg_remamber.datasets.refshapes import (
    COLOURS,
    SHAPES,
    TEXTURES,
    UNSEEN,
    draw_scene,
    write_refshapes,
)

SIZES = {'train': 60, 'val': 20, 'test': 20, 'testC': 40}


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('refshapes')
    write_refshapes(path, SIZES, seed=3)
    return path


@pytest.fixture(scope='module')
def instances(folder):
    return json.loads((folder / 'refshapes/instances.json').read_text())


@pytest.fixture(scope='module')
def refs(folder):
    return pickle.loads((folder / 'refshapes/refs(synthetic).p').read_bytes())


def decode(annotation, size=128):
    seg = annotation['segmentation']
    if isinstance(seg, dict):
        return coco_mask.decode(seg)
    return coco_mask.decode(coco_mask.frPyObjects(seg, size, size)).max(axis=-1)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob('*')
        if path.is_file()
    }


def test_same_seed_same_bytes(folder, tmp_path):
    write_refshapes(tmp_path / 'same', SIZES, seed=3)
    write_refshapes(tmp_path / 'other', SIZES, seed=4)
    assert digests(tmp_path / 'same') == digests(folder)
    other = digests(tmp_path / 'other')
    assert other.keys() == digests(folder).keys()
    assert not set(other.values()) & set(digests(folder).values())


def test_more_scenes_keep_the_earlier_ones(folder, tmp_path):
    write_refshapes(tmp_path, {'val': 25}, seed=3)
    for number in range(20):
        name = f'images/refshapes_val_{number:06d}.jpg'
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_splits_share_no_image(folder):
    pictures = digests(folder / 'images')
    assert len(pictures) == sum(SIZES.values()) == len(set(pictures.values()))


def test_fields_are_those_of_the_refer_layout(folder, instances, refs):
    images = {i['id']: i for i in instances['images']}
    annotations = {a['id']: a for a in instances['annotations']}
    assert [c['name'] for c in instances['categories']] == list(SHAPES)
    sent_ids = []
    for ref in refs:
        assert sorted(ref) == [
            'ann_id', 'category_id', 'file_name', 'image_id', 'ref_id', 'sent_ids', 'sentences',
            'split',
        ]  # fmt: skip
        annotation, image = annotations[ref['ann_id']], images[ref['image_id']]
        assert annotation['image_id'] == image['id']
        assert annotation['category_id'] == ref['category_id']
        assert SHAPES[ref['category_id'] - 1] == annotation['attributes']['shape']
        stem = image['file_name'].removesuffix('.jpg')
        assert ref['file_name'] == f'{stem}_{ref["ann_id"]}.jpg'
        assert ref['sent_ids'] == [s['sent_id'] for s in ref['sentences']]
        assert 2 <= len({s['sent'] for s in ref['sentences']}) == len(ref['sentences']) <= 3
        for sentence in ref['sentences']:
            assert sorted(sentence) == ['raw', 'sent', 'sent_id', 'tokens']
            assert sentence['raw'] == sentence['sent'] == ' '.join(sentence['tokens'])
        sent_ids += ref['sent_ids']
    assert len(set(sent_ids)) == len(sent_ids)
    assert len({ref['ref_id'] for ref in refs}) == len(refs)
    for image in instances['images']:
        picture = cv2.imread(str(folder / 'images' / image['file_name']))
        assert picture.shape == (image['height'], image['width'], 3)


def test_masks_are_disjoint_and_as_recorded(instances):
    covered = {}
    for annotation in instances['annotations']:
        mask = decode(annotation).astype(bool)
        assert mask.sum() == annotation['area'] > 0
        ys, xs = np.nonzero(mask)
        box = [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
        assert annotation['bbox'] == box
        before = covered.setdefault(annotation['image_id'], np.zeros_like(mask))
        assert not (before & mask).any()
        covered[annotation['image_id']] = before | mask
    kinds = {type(a['segmentation']) for a in instances['annotations']}
    assert kinds == {list, dict}
    counts = np.bincount([a['image_id'] for a in instances['annotations']])[1:]
    assert counts.min() >= 3 and counts.max() <= 6


def test_ring_has_its_hole(instances):
    for annotation in instances['annotations']:
        if annotation['attributes']['shape'] == 'ring':
            x, y, w, h = annotation['bbox']
            assert decode(annotation)[int(y + h / 2), int(x + w / 2)] == 0


def test_masks_lie_on_their_colour(folder, instances):
    """Hue in the picture, under the mask, is the hue of the name."""
    images = {i['id']: i['file_name'] for i in instances['images']}
    for annotation in instances['annotations'][:150]:
        picture = cv2.imread(str(folder / 'images' / images[annotation['image_id']]))
        hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
        inside = cv2.erode(decode(annotation), np.ones((3, 3))).astype(bool)
        bright = inside & (saturation > 120) & (value > 100)
        # the circular median, near enough: hues relative to the expected one
        offset = (hue[bright].astype(int) - COLOURS[annotation['attributes']['colour']] + 90) % 180
        assert abs(np.median(offset) - 90) <= 5


def test_combinations_of_testc_are_unseen(instances, refs):
    assert {colour for colour, _ in UNSEEN} == set(COLOURS)
    assert {shape for _, shape in UNSEEN} == set(SHAPES)
    split_of_image = {ref['image_id']: ref['split'] for ref in refs}
    assert len(split_of_image) == len(instances['images'])
    pairs = {split: set() for split in SIZES}
    for annotation in instances['annotations']:
        look = annotation['attributes']
        pairs[split_of_image[annotation['image_id']]].add((look['colour'], look['shape']))
    for split in ('train', 'val', 'test'):
        assert not pairs[split] & set(UNSEEN)
    assert len(pairs['train']) == len(COLOURS) * len(SHAPES) - len(UNSEEN)
    annotations = {a['id']: a['attributes'] for a in instances['annotations']}
    meant = {
        (annotations[ref['ann_id']]['colour'], annotations[ref['ann_id']]['shape'])
        for ref in refs
        if ref['split'] == 'testC'
    }
    assert meant == set(UNSEEN)


# --- An evaluator of its own: reads the English, measures the masks -------------------------------

RELATIONS = {
    'above': 'above', 'below': 'below', 'under': 'below', 'to the left of': 'left',
    'left of': 'left', 'to the right of': 'right', 'right of': 'right', 'closest to': 'near',
    'nearest to': 'near',
}  # fmt: skip
PHRASE = (
    rf'(?:(?P<texture>{"|".join(TEXTURES)}) )?(?:(?P<colour>{"|".join(COLOURS)}) )?'
    rf'(?P<noun>{"|".join(SHAPES)}|shape|object|thing)'
)
SENTENCE = re.compile(
    r'(?:the )?'
    r'(?:(?P<extreme>leftmost|rightmost|highest|lowest) '
    r'|(?P<size>largest|biggest|larger|bigger|big|smallest|smaller|small|little) '
    r'|(?P<before>(?:top |bottom )?(?:left|right)|top|bottom) )?'
    + PHRASE
    + r'(?: (?:in|on|at) the (?P<after>middle|center|(?:top |bottom )?(?:left|right)|top|bottom))?'
    + rf'(?: (?P<relation>{"|".join(RELATIONS)}) the (?P<anchor>.+))?'
)


def fits(thing, match):
    noun = match['noun']
    return (
        match['texture'] in (None, thing['texture'])
        and match['colour'] in (None, thing['colour'])
        and (noun in ('shape', 'object', 'thing') or noun == thing['shape'])
    )


def meant_by(sentence, things):
    """All things that the sentence could mean, judged loosely: whatever is not clearly wrong."""
    match = SENTENCE.fullmatch(sentence)
    assert match, sentence
    candidates = [t for t in things if fits(t, match)]
    if match['anchor']:
        anchor_match = re.fullmatch(PHRASE, match['anchor'])
        anchors = [t for t in things if fits(t, anchor_match)]
        assert len(anchors) == 1, f'{sentence}: the anchor is not unique'
        return related(candidates, anchors[0], RELATIONS[match['relation']])
    if match['extreme']:
        key = {'leftmost': ('x', 1), 'rightmost': ('x', -1), 'highest': ('y', 1)}.get(
            match['extreme'], ('y', -1)
        )
        return close_to_best(candidates, lambda t: key[1] * t[key[0]], slack=0.1)
    if match['size']:
        sign = 1 if match['size'] in ('smallest', 'smaller', 'small', 'little') else -1
        return close_to_best(candidates, lambda t: sign * np.log(t['area']), slack=np.log(1.5))
    place = match['before'] or match['after']
    return [t for t in candidates if place is None or could_be_at(t, place)]


def close_to_best(candidates, cost, slack):
    best = min(map(cost, candidates))
    return [t for t in candidates if cost(t) < best + slack]


def could_be_at(thing, place):
    x, y = thing['x'] - 0.5, thing['y'] - 0.5
    if place in ('middle', 'center'):
        return np.hypot(x, y) < 0.24
    ahead = {'left': -x, 'right': x, 'top': -y, 'bottom': y}
    return all(ahead[word] > -1e-9 for word in place.split())


def related(candidates, anchor, relation):
    others = [t for t in candidates if t is not anchor]
    if relation == 'near':
        return close_to_best(
            others,
            lambda t: np.log(np.hypot(t['x'] - anchor['x'], t['y'] - anchor['y'])),
            slack=np.log(1.3),
        )
    found = []
    for t in others:
        dx, dy = t['x'] - anchor['x'], t['y'] - anchor['y']
        ahead, aside = {
            'above': (-dy, dx), 'below': (dy, dx), 'left': (-dx, dy), 'right': (dx, dy)
        }[relation]  # fmt: skip
        # within 55 degrees of straight ahead
        if ahead > 0.02 and abs(aside) < np.tan(np.radians(55)) * ahead:
            found.append(t)
    return found


def test_every_sentence_means_exactly_its_object(instances, refs):
    things = {}
    for annotation in instances['annotations']:
        mask = decode(annotation)
        ys, xs = np.nonzero(mask)
        things.setdefault(annotation['image_id'], []).append(
            annotation['attributes']
            | dict(id=annotation['id'], x=(xs.mean() + 0.5) / 128, y=(ys.mean() + 0.5) / 128)
            | dict(area=mask.sum())
        )
    forms = set()
    for ref in refs:
        for sentence in ref['sentences']:
            found = meant_by(sentence['sent'], things[ref['image_id']])
            assert [t['id'] for t in found] == [ref['ann_id']], sentence['sent']
            groups = SENTENCE.fullmatch(sentence['sent']).groupdict()
            forms |= {k for k, v in groups.items() if v} | {RELATIONS.get(groups['relation'])}
    # the evaluator was put to work on every kind of sentence
    assert forms >= {'extreme', 'size', 'before', 'after', 'relation', 'texture', 'colour'}
    assert forms >= set(RELATIONS.values())


def test_the_evaluator_sees_ambiguity():
    look = dict(shape='star', colour='red', texture='plain', area=100)
    pair = [dict(look, x=0.3, y=0.5), dict(look, x=0.35, y=0.8)]
    assert len(meant_by('the red star', pair)) == 2
    assert len(meant_by('the leftmost red star', pair)) == 2
    assert meant_by('lowest star', pair) == pair[1:]


# --- Errors ---------------------------------------------------------------------------------------


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match=r"splits must be among .*'testC'.*got \['testB'\]"):
        write_refshapes(tmp_path, {'testB': 1})


@pytest.mark.parametrize('arguments', [dict(sizes={'val': -1}), dict(sizes={'val': 1}, seed=-1)])
def test_negative_number(tmp_path, arguments):
    with pytest.raises(ValueError, match='must not be negative'):
        write_refshapes(tmp_path, **arguments)


def test_does_not_overwrite(folder):
    with pytest.raises(FileExistsError, match='refshapes exists'):
        write_refshapes(folder, SIZES)


def test_unwritable_image(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'imwrite', lambda *_: False)
    with pytest.raises(OSError, match=r'could not write .*refshapes_val_000000\.jpg'):
        write_refshapes(tmp_path, {'val': 1})


def test_too_small_a_picture():
    with pytest.raises(ValueError, match=r'size must be at least 64 pixels.*got 32'):
        draw_scene(np.random.default_rng(0), 32)
