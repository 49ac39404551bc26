# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Any valid set is read as it was written; any damage is an error or a counted drop, and the check
of a download says which."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from refer_folder import entries

from mmseg_remamber.datasets import GRefCOCODataset, RefCOCODataset
from mmseg_remamber.datasets.inspection import PUBLISHED, PublishedDataset, check_download
from mmseg_remamber.datasets.refer.reader import save_refs
from mmseg_remamber.datasets.refer.rules import GREFCOCO, REFER

SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SENTENCES = (
    st.text(min_size=1, max_size=20).filter(str.strip)
    | st.sampled_from(['der Mann mit dem Hut über dem Tisch', '左边的猫', 'l’homme à gauche', '🦒'])
    | st.just(' '.join(['word'] * 500))
)


def mask_of(segmentation, height, width):
    """pycocotools' own decoding: (height, width) bool."""
    if isinstance(segmentation, list):
        rles = coco_mask.frPyObjects(segmentation, height, width)
        return coco_mask.decode(rles).any(axis=-1)
    return coco_mask.decode(segmentation).astype(bool)


@st.composite
def segmentations(draw, height, width):
    if draw(st.booleans()):
        corner = st.tuples(st.integers(0, width), st.integers(0, height))
        polygons = []
        for _ in range(draw(st.integers(1, 2))):
            # around a square of four pixels, so that none is empty
            x, y = draw(st.integers(0, width - 4)), draw(st.integers(0, height - 4))
            polygon = [x, y, x + 4, y, x + 4, y + 4, x, y + 4 - draw(st.floats(0, 0.5))]
            polygons.append(
                [*polygon, *[v for xy in draw(st.lists(corner, max_size=2)) for v in xy]]
            )
        if mask_of(polygons, height, width).any():
            return polygons
    mask = np.zeros((height, width), np.uint8, order='F')
    mask[draw(st.integers(0, height - 1)), :: draw(st.integers(1, 5))] = 1
    rle = coco_mask.encode(mask)
    return dict(size=[height, width], counts=rle['counts'].decode())


@st.composite
def annotation_sets(draw):
    """(refs, images, annotations): one to four refs to train on, and one of val."""
    ids = draw(st.lists(st.integers(0, 2**40), min_size=40, max_size=40, unique=True))
    images, annotations, refs = [], [], []
    splits = ['train'] * draw(st.integers(1, 4)) + ['val']
    for split in splits:
        if not images or draw(st.booleans()) or split == 'val':
            height, width = draw(st.integers(8, 40)), draw(st.integers(8, 40))
            name = f'{len(images)}.jpg'
            images.append(dict(id=ids.pop(), file_name=name, height=height, width=width))
        image = images[-1]
        mask = draw(segmentations(image['height'], image['width']))
        annotations.append(dict(id=ids.pop(), image_id=image['id'], segmentation=mask))
        sentences = [
            dict(sent_id=ids.pop(), sent=s, raw=s, tokens=s.split())
            for s in draw(st.lists(SENTENCES, min_size=1, max_size=3))
        ]
        refs.append(
            dict(
                ref_id=ids.pop(), ann_id=annotations[-1]['id'], image_id=image['id'], split=split,
                sentences=sentences, sent_ids=[s['sent_id'] for s in sentences],
            )
        )  # fmt: skip
    return refs, images, annotations


def write(path: Path, refs, images, annotations, suffix='.p') -> Path:
    """``path`` with the dataset in it, and nothing of an earlier one."""
    folder = path / 'toy'
    folder.mkdir(exist_ok=True)
    (path / 'images').mkdir(exist_ok=True)
    for number in range(5):
        (path / 'images' / f'{number}.jpg').touch()
    for old in folder.iterdir():
        old.unlink()
    (folder / 'instances.json').write_text(json.dumps(dict(images=images, annotations=annotations)))
    save_refs(refs, folder / f'refs(me){suffix}')
    return path


def read(path, split='train', **arguments):
    return entries(RefCOCODataset(str(path), 'toy', 'me', split, 'images', **arguments))


def expected(refs, images, annotations, split='train'):
    """(ref_id, sentences, mask as bytes and shape) of each ref, straight from the records."""
    image = {i['id']: i for i in images}
    mask = {a['id']: a['segmentation'] for a in annotations}
    return [
        (
            ref['ref_id'],
            [s['sent'].strip() for s in ref['sentences']],
            *packed(mask[ref['ann_id']], image[ref['image_id']]),
        )
        for ref in refs
        if ref['split'] == split
    ]


def found(path, split='train', **arguments):
    return [
        (e['ref_id'], e['sentences'], *packed(e['segmentation'], e))
        for e in read(path, split, **arguments)
    ]


def packed(segmentation, image):
    mask = mask_of(segmentation, image['height'], image['width'])
    return mask.shape, np.packbits(mask).tobytes()


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('properties')


@SLOW
@given(sets=annotation_sets())
def test_what_is_written_is_read(path, sets):
    for suffix in ('.p', '.json'):
        write(path, *sets, suffix)
        for split in ('train', 'val'):
            assert found(path, split) == expected(*sets, split)
            assert found(path, split) == expected(*sets, split)  # and from the cache
        texts = [(e['sent_id'], e['text']) for e in read(path, test_mode=True)]
        assert texts == [
            (s['sent_id'], s['sent'].strip())
            for ref in sets[0]
            if ref['split'] == 'train'
            for s in ref['sentences']
        ]


# --- Damage that is known to make a ref useless ---------------------------------------------------


def annotation_of(ref, annotations):
    return next(a for a in annotations if a['id'] == ref['ann_id'])


def polygon(numbers):
    """Give the ref this polygon for a mask."""

    def damage(ref, refs, images, annotations):
        annotation_of(ref, annotations)['segmentation'] = [numbers]

    return damage


def of_ref(key, value):
    def damage(ref, refs, images, annotations):
        ref[key] = value

    return damage


def of_sentence(key, value):
    def damage(ref, refs, images, annotations):
        ref['sentences'][-1][key] = value

    return damage


def rle_of_wrong_size(ref, refs, images, annotations):
    image = next(i for i in images if i['id'] == ref['image_id'])
    mask = np.ones((image['height'] + 1, image['width']), np.uint8, order='F')
    rle = coco_mask.encode(mask)
    annotation_of(ref, annotations)['segmentation'] = dict(
        size=list(mask.shape), counts=rle['counts'].decode()
    )


def rle_too_long_for_its_size(ref, refs, images, annotations):
    rle_of_wrong_size(ref, refs, images, annotations)
    annotation_of(ref, annotations)['segmentation']['size'][0] -= 1


def take_ref_id(ref, refs, images, annotations):
    ref['ref_id'] = refs[0]['ref_id']


def take_sent_id(ref, refs, images, annotations):
    ref['sentences'][0]['sent_id'] = refs[0]['sentences'][0]['sent_id']


def lose_annotation(ref, refs, images, annotations):
    annotations.remove(annotation_of(ref, annotations))


def double_annotation(ref, refs, images, annotations):
    annotations.append(copy.deepcopy(annotation_of(ref, annotations)))


USELESS = dict(
    outside=polygon([0, 0, 1000, 0, 1000, 1000]),
    negative=polygon([-5, 0, 3, 0, 3, 3]),
    odd=polygon([0, 0, 5, 0, 5, 5, 0]),
    short=polygon([0, 0, 5, 5]),
    text=polygon([0, 0, '5', 0, 5, 5]),
    nan=polygon([0, 0, float('nan'), 0, 5, 5]),
    no_pixel=polygon([3, 3, 3, 3, 3, 3]),
    no_polygon=polygon([]),
    rle_of_wrong_size=rle_of_wrong_size,
    rle_too_long_for_its_size=rle_too_long_for_its_size,
    no_split=of_ref('split', None),
    odd_split=of_ref('split', 'trian'),
    odd_ref_id=of_ref('ref_id', 'seven'),
    odd_ann_id=of_ref('ann_id', [1]),
    lost_image=of_ref('image_id', -7),
    no_sentences=of_ref('sentences', []),
    empty_sentence=of_sentence('sent', ' '),
    odd_sentence=of_sentence('sent', 5),
    odd_sent_id=of_sentence('sent_id', None),
    take_ref_id=take_ref_id,
    take_sent_id=take_sent_id,
    lose_annotation=lose_annotation,
    double_annotation=double_annotation,
)


@pytest.mark.parametrize('name', USELESS)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(sets=annotation_sets())
def test_a_useless_ref_is_named_or_dropped_and_counted(path, log, name, sets):
    damaged = copy.deepcopy(sets)
    ref = damaged[0][-1]
    USELESS[name](ref, *damaged)
    write(path, *damaged)
    named = f'ref {ref["ref_id"]!r} of '
    if name == 'double_annotation':
        named = f'duplicate id {ref["ann_id"]}'
    with pytest.raises(ValueError) as caught:
        found(path)
    assert named in str(caught.value)
    log.clear()
    # the others are as they were
    assert found(path, strict=False) == expected(*sets)
    assert len(log) == 1 and ': 1 refs left out (1 ' in log[0]


# --- Damage of any kind ---------------------------------------------------------------------------

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(-5, 50) | st.floats() | st.text(max_size=2), max_size=8),
    st.dictionaries(st.sampled_from(['id', 'size', 'counts', 'sent']), st.integers(), max_size=2),
    st.just(10**400),
)


def places(value, here=()):
    """The way to everything in nested lists and dicts."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*here, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*here, key))


def write_with_junk(path, sets, data, junk, stem='refs'):
    """Write the sets with one thing somewhere in them replaced, or left out."""
    root = [copy.deepcopy(part) for part in sets]
    *way, last = data.draw(st.sampled_from([p for p in places(root) if len(p) > 1]))
    parent = root
    for key in way:
        parent = parent[key]
    if data.draw(st.booleans()):
        parent[last] = junk
    else:
        del parent[last]
    write(path, *sets)
    folder = path / 'toy'
    (folder / f'{stem}(me).p').write_bytes(pickle.dumps(root[0], protocol=2))
    (folder / 'instances.json').write_text(json.dumps(dict(images=root[1], annotations=root[2])))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sets=annotation_sets(), data=st.data(), junk=JUNK, strict=st.booleans())
def test_junk_anywhere_is_an_error_or_leaves_masks_that_decode(path, sets, data, junk, strict):
    write_with_junk(path, sets, data, junk)
    try:
        read_back = read(path, strict=strict)
    except (ValueError, FileNotFoundError) as e:
        assert str(e)  # noqa: PT017  either outcome is right
        return
    for entry in read_back:
        mask = mask_of(entry['segmentation'], entry['height'], entry['width'])
        assert mask.shape == (entry['height'], entry['width']) and mask.any()
        assert all(sentence.strip() for sentence in entry['sentences'])


# --- The check of a download ----------------------------------------------------------------------

KINDS = dict(refs=(RefCOCODataset, REFER), grefs=(GRefCOCODataset, GREFCOCO))


def refusal(path, kind) -> str | None:
    """What the loader says of the splits that configs read, images left aside."""
    for split in ('train', 'val'):
        try:
            kind(str(path), 'toy', 'me', split, 'images')
        except FileNotFoundError as e:
            if 'no image ' not in str(e):
                return str(e)
        except ValueError as e:
            return str(e)
    return None


def wrong(path, rules) -> list[str]:
    """What the check says is wrong, images left aside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PUBLISHED, 'toy', PublishedDataset('images', {'me': {}}, rules))
        found = check_download(path, 'toy', read_images=False)
    return [f'{f.check}: {f.detail}' for f in found if f.ok is False]


@pytest.mark.parametrize('stem', KINDS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sets=annotation_sets(), data=st.data(), junk=JUNK)
def test_nothing_is_wrong_if_and_only_if_it_loads(path, stem, sets, data, junk):
    kind, rules = KINDS[stem]
    write_with_junk(path, sets, data, junk, stem)
    assert bool(wrong(path, rules)) == (refusal(path, kind) is not None)


@pytest.mark.parametrize('name', USELESS)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(sets=annotation_sets())
def test_the_check_names_what_the_loader_refuses(path, name, sets):
    damaged = copy.deepcopy(sets)
    USELESS[name](damaged[0][-1], *damaged)
    write(path, *damaged)
    said, found = refusal(path, RefCOCODataset), wrong(path, REFER)[0]
    if name == 'double_annotation':
        assert found == f'file: {said}'
    else:
        of_file, reason, detail = said.split(': ', 2)
        assert found == f'refs refused, {reason}: {of_file.partition(" of ")[0]}: {detail}'
