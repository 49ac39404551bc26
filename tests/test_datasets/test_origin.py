# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a dataset is goes with its checkpoints, and tells which pictures are of another kind."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import ConfigDict
from refer_folder import Folder

from mmseg_remamber.datasets import MixedRefDataset
from mmseg_remamber.datasets.known import KNOWN, find_origin
from mmseg_remamber.datasets.origin import Origin, join_origins, origin_of, read_origin
from mmseg_remamber.datasets.picture_measures import MEASURES, strong_colour, uneven_ground
from mmseg_remamber.datasets.refshapes import SPLITS, draw_scene

REFSHAPES = find_origin('refshapes', 'synthetic')


def scene(number, size, quality=None):
    """A scene as the dataset has it, all splits in turn, as JPEG of a quality or as drawn."""
    pairs, referable = list(SPLITS.values())[number % len(SPLITS)]
    rng = np.random.default_rng([71, size, number])
    image = draw_scene(rng, size, pairs, lead=referable, max_objects=(4, 6, 9)[number % 3]).image
    if quality is None:
        return image
    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    ('size', 'quality'),
    [(64, None), (64, 95), (80, None), (80, 95), (80, 50), (128, 95), (128, 50), (320, 95)],
)
def test_scenes_are_of_their_kind(size, quality):
    wrong = [n for n in range(40) if not REFSHAPES.is_of_kind(scene(n, size, quality))]
    assert not wrong


@pytest.mark.parametrize('shape', [(240, 320), (600, 200), (80, 80)])
def test_scenes_of_other_sides_are_too(shape):
    for number in range(40):
        image = cv2.resize(scene(number, 240), shape[::-1], interpolation=cv2.INTER_AREA)
        assert REFSHAPES.is_of_kind(image)


@pytest.mark.parametrize('size', [None, (400, 300), (80, 80), (64, 48)])
def test_photographs_are_not(realdata, size):
    paths = sorted(realdata.rglob('*.jpg'))
    kept = []
    for path in paths:
        image = cv2.imread(str(path))
        if size is not None:
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if REFSHAPES.is_of_kind(image):
            kept.append(path.name)
    assert len(paths) >= 100
    assert len(kept) <= 1, kept  # a stop sign by night


def _noise(rng):
    return rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)


def _landscape(rng):
    """Sky that pales towards a ground of coarse texture."""
    y = np.linspace(0, 1, 120)[:, None]
    sky = np.stack([250 - 20 * y, 180 + 60 * y, 120 + 110 * y], -1).repeat(160, 1)
    ground = cv2.resize(rng.uniform(20, 150, (20, 40, 3)), (160, 120))
    return np.where(y[..., None] < 0.5, sky, ground).astype(np.uint8)


def _many_colours(rng):
    blotches = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(blotches, (160, 120), interpolation=cv2.INTER_CUBIC)


def _grey_steps(rng):
    """Black and white: no strong colour anywhere."""
    grey = cv2.resize(rng.integers(0, 256, (12, 16), dtype=np.uint8), (160, 120))
    return np.repeat(grey[..., None], 3, axis=2)


def _red(rng):
    return np.full((120, 160, 3), (20, 20, 220), np.uint8)


def _white(rng):
    return np.full((120, 160, 3), 255, np.uint8)


def _skin(rng):
    """Pale colours that change from place to place."""
    tones = rng.uniform((120, 140, 180), (180, 190, 230), (6, 8, 3))
    return cv2.resize(tones, (160, 120)).astype(np.uint8)


@pytest.mark.parametrize(
    'make', [_noise, _landscape, _many_colours, _grey_steps, _red, _white, _skin]
)
def test_what_is_no_scene(make):
    for seed in range(5):
        assert not REFSHAPES.is_of_kind(make(np.random.default_rng(seed)))


@pytest.mark.parametrize('shape', [(1, 1), (1, 300), (2, 2), (3000, 4)])
def test_measures_of_any_size(shape):
    for measure in MEASURES.values():
        assert 0 <= measure(np.full((*shape, 3), 90, np.uint8)) <= 1


def test_measures_by_hand():
    image = np.full((80, 80, 3), 128, np.uint8)
    image[:20] = (0, 0, 255)  # a quarter
    assert strong_colour(image) == pytest.approx(0.25, abs=0.02)
    assert uneven_ground(image) == 0
    image[60:] = (90, 128, 128)  # of the ground's 58 rows, less the edge of the red, 20
    assert uneven_ground(image) == pytest.approx(20 / 58, abs=0.03)
    image[60:] = 200  # the same tint: two rows on each side of the step
    assert 0 < uneven_ground(image) < 0.1
    assert uneven_ground(np.full((80, 80, 3), (0, 0, 255), np.uint8)) == 1


def test_published_datasets_and_ones_own(tmp_path):
    assert find_origin('refcoco', 'unc').name == 'RefCOCO (unc)'
    assert 'COCO train2014' in find_origin('refcocog', 'umd').pictures
    assert not find_origin('refcoco', 'unc').limits and REFSHAPES.limits
    # nothing is assumed of a dataset that nobody described, whatever its config inherits
    own = Folder(tmp_path, name='garden').write()
    assert own.read().metainfo['origin'] == dict(
        name='garden (me)', pictures='', sentences='', limits={}
    )
    stated = dict(pictures='photographs of a garden', sentences='English')
    metainfo = own.read(metainfo=dict(origin=stated)).metainfo
    assert metainfo['origin'] == dict(name='garden (me)', limits={}) | stated
    assert metainfo['classes'] == ('background', 'object')


def test_every_known_origin_is_whole():
    for folder in KNOWN:
        origin = find_origin(folder, 'x')
        assert origin.pictures and origin.sentences and origin.name.endswith(' (x)')
        assert origin_of(json.loads(json.dumps(origin.to_dict()))) == origin_of(origin.to_dict())


def test_a_config_leaves_nothing_of_its_own_in_the_metainfo(tmp_path):
    stated = ConfigDict(origin=dict(limits=dict(strong_colour=[0.1, 1])), more=dict(a=[1]))
    metainfo = Folder(tmp_path).write().read(metainfo=stated).metainfo
    assert type(metainfo['origin']) is type(metainfo['more']) is dict
    assert type(metainfo['origin']['limits']) is dict


def test_a_mixture_is_all_of_its_members(tmp_path):
    folders = []
    for number, name in enumerate(('refcoco', 'refcoco+', 'garden')):
        (tmp_path / name).mkdir()
        folder = Folder(tmp_path / name, name=name)
        for image in folder.images:
            image['file_name'] = f'{number}{image["file_name"]}'
        folders.append(folder.write())
    origin = read_origin(MixedRefDataset([folder.read() for folder in folders]).metainfo)
    assert origin.name == 'RefCOCO (me), RefCOCO+ (me), garden (me)'
    assert origin.pictures == 'photographs of COCO train2014'  # said once
    assert 'forbade words of place' in origin.sentences


def test_limits_of_a_mixture_keep_in_what_any_keeps_in():
    wide = Origin('a', limits=dict(strong_colour=(0.1, 0.2), uneven_ground=(0, 0.1)))
    other = Origin('b', limits=dict(strong_colour=[0.15, 0.4]))
    assert join_origins([wide, other]).limits == dict(strong_colour=[0.1, 0.4])
    assert join_origins([wide, Origin('c')]).limits == {}


@pytest.mark.parametrize(
    ('stated', 'message'),
    [
        (dict(picture='a'), r"must be a dict of \['name', 'pictures', 'sentences', 'limits'\]"),
        (dict(pictures=3), 'pictures must be a text, got 3'),
        (dict(limits=[0, 1]), r'limits must be a dict of measures, got \[0, 1\]'),
        (dict(limits=dict(colour=[0, 1])), r"limits are of \['strong_colour', .*got 'colour'"),
        (dict(limits=dict(uneven_ground=[0.5])), r'must be \[least, most\], got \[0.5\]'),
        (dict(limits=dict(uneven_ground=[0.5, 0.1])), r'must be \[least, most\]'),
        (dict(limits=dict(uneven_ground=['0', '1'])), r'must be \[least, most\]'),
        ('photographs', "origin must be a dict, got 'photographs'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, stated, message):
    with pytest.raises(ValueError, match=message):
        Folder(tmp_path).write().read(metainfo=dict(origin=stated))


def test_nothing_is_recorded_in_the_metainfo_of_others():
    assert read_origin(None) is None
    assert read_origin(dict(classes=['background', 'object'])) is None
    with pytest.raises(ValueError, match='origin must be a dict of'):
        read_origin(dict(origin='photographs'))
    assert str(Origin('garden')) == 'garden, whose kind is not recorded'
    assert str(Origin('garden', 'photographs')) == 'garden: photographs'
    assert str(Origin('garden', 'photographs', 'English')) == 'garden: photographs; English'
