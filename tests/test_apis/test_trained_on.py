# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint says what it was trained on, and every door says where a picture is none of it."""

import json
import runpy
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import tiny_training
import torch
from PIL import Image
from pycocotools.coco import COCO

from mmseg_remamber.__main__ import main
from mmseg_remamber.apis import RefSegInferencer, init_model
from mmseg_remamber.apis.export import client_metadata
from mmseg_remamber.checkpoints import read_checkpoint
from mmseg_remamber.datasets.known import find_origin
from mmseg_remamber.datasets.origin import Origin

REFSHAPES = find_origin('refshapes', 'synthetic')
DOUBT = 'trained on drawings of coloured shapes on plain grey, and this picture is none of them'


def with_origin(checkpoint, path, origin):
    content = torch.load(checkpoint, weights_only=False)
    meta = dict(classes=('background', 'object'), origin=origin)
    content['meta']['dataset_meta'] = meta
    torch.save(content, path)
    return path


@pytest.fixture(scope='module')
def checkpoint(tiny_checkpoint, tmp_path_factory):
    """Of a model of RefShapes."""
    path = tmp_path_factory.mktemp('refshapes') / 'shapes.pth'
    return with_origin(tiny_checkpoint, path, REFSHAPES.to_dict())


@pytest.fixture(scope='module')
def inferencer(checkpoint):
    return RefSegInferencer(weights=checkpoint, device='cpu', show_progress=False)


@pytest.fixture(scope='module')
def scene(scenes):
    return min((scenes / 'images').glob('*.jpg'))


@pytest.fixture
def photograph(tmp_path):
    """What a photograph has and a scene has not: many tints, edges, no strong colour."""
    tones = np.random.default_rng(3).uniform((60, 90, 120), (190, 200, 230), (6, 8, 3))
    path = tmp_path / 'my holiday.jpg'
    cv2.imwrite(str(path), cv2.resize(tones, (320, 240)).astype(np.uint8))
    return path


@pytest.mark.slow
def test_training_records_it_and_resuming_is_not_told_of_a_difference(scenes, tmp_path, capsys):
    cfg = tiny_training.tiny_config(scenes, tmp_path)
    cfg.train_cfg.max_iters = 1
    tiny_training.train(cfg)
    assert init_model(cfg, tmp_path / 'iter_1.pth').dataset_meta['origin'] == REFSHAPES.to_dict()
    meta = read_checkpoint(tmp_path / 'iter_1.pth')['meta']['dataset_meta']
    assert meta['classes'] == ('background', 'object')
    cfg.train_cfg.max_iters, cfg.resume = 2, True
    tiny_training.train(cfg)
    log = ''.join(path.read_text() for path in tmp_path.rglob('*.log'))
    assert 'dataset metainfo from the resumed checkpoint is different' not in log


def test_the_inferencer_knows(inferencer, tiny_checkpoint):
    assert inferencer.trained_on == Origin(**REFSHAPES.to_dict())
    assert RefSegInferencer(weights=tiny_checkpoint, show_progress=False).trained_on is None


def test_an_origin_that_is_none_is_refused(tiny_checkpoint, tmp_path):
    path = with_origin(tiny_checkpoint, tmp_path / 'odd.pth', dict(pictures='photographs'))
    with pytest.raises(ValueError, match='origin must be a dict of'):
        RefSegInferencer(weights=path, show_progress=False)


def test_a_picture_of_another_kind_is_named(inferencer, scene, photograph, tmp_path):
    out = tmp_path / 'out'
    with pytest.warns(UserWarning, match=f'my holiday.jpg: the model was {DOUBT}'):
        found = inferencer([scene, photograph], ['the circle', 'it'], out_dir=out)
    (doubt,) = found['doubts']
    assert (doubt.number, doubt.name) == (2, str(photograph))
    assert [len(masks) for masks in found['predictions']] == [2, 2]
    content = json.loads((out / 'results.json').read_text())
    assert content['info'] == dict(trained_on=REFSHAPES.to_dict())
    assert [image['doubt'] for image in content['images']] == [None, doubt.reason]
    assert len(COCO(out / 'results.json').anns) == 4


@pytest.mark.parametrize(
    'make',
    [
        lambda image: image,
        lambda image: Image.fromarray(image[..., ::-1]),
        lambda image: image[..., 0],  # grey
        lambda image: cv2.resize(image, (80, 80)),
    ],
)
def test_any_input_of_another_kind_is(inferencer, photograph, make):
    with pytest.warns(UserWarning, match='picture 1: the model was'):
        found = inferencer(make(cv2.imread(str(photograph))), 'it')
    assert [doubt.name for doubt in found['doubts']] == ['picture 1']


def test_nothing_is_said_of_scenes_nor_where_nothing_is_recorded(
    inferencer, tiny_checkpoint, scenes, photograph
):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert inferencer(scenes / 'images', 'the circle')['doubts'] == []
        unknown = RefSegInferencer(weights=tiny_checkpoint, show_progress=False)
        assert unknown(photograph, 'it')['doubts'] == []


def test_a_model_of_photographs_doubts_none(tiny_checkpoint, tmp_path, photograph, scene):
    origin = find_origin('refcoco', 'unc').to_dict()
    path = with_origin(tiny_checkpoint, tmp_path / 'coco.pth', origin)
    found = RefSegInferencer(weights=path, show_progress=False)([photograph, scene], 'it')
    assert found['doubts'] == []


def test_real_photographs_are_named(inferencer, realdata):
    paths = sorted((realdata / 'refcoco_mini').rglob('*.jpg'))
    with pytest.warns(UserWarning, match='COCO_train2014_'):
        found = inferencer(paths, 'person on left in front red tie')
    assert [doubt.number for doubt in found['doubts']] == list(range(1, len(paths) + 1))


def test_the_command_says_both(checkpoint, scene, photograph, tmp_path, capsys):
    options = ['--checkpoint', str(checkpoint), '--out', str(tmp_path / 'out'), '--no-progress']
    assert main([str(photograph), 'person on left', *options]) == 0
    printed = capsys.readouterr()
    assert f'trained on: {REFSHAPES}\n' in printed.out
    assert f'warning: {photograph}: the model was {DOUBT}' in printed.err
    assert main([str(scene), 'the circle', *options]) == 0
    assert 'warning' not in capsys.readouterr().err


def test_the_command_says_that_nothing_is_recorded(tiny_checkpoint, photograph, tmp_path, capsys):
    options = ['--checkpoint', str(tiny_checkpoint), '--out', str(tmp_path / 'out')]
    assert main([str(photograph), 'it', *options, '--no-progress']) == 0
    printed = capsys.readouterr()
    assert 'trained on: not recorded in the checkpoint\n' in printed.out
    assert 'warning' not in printed.err
    content = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert content['info'] == dict(trained_on=None) and content['images'][0]['doubt'] is None


@pytest.mark.parametrize('text', ['a' * 400, '左边的圆' * 90, 'very ' * 90])
def test_a_long_sentence_is_cut_in_the_line_whether_or_not_it_has_blanks(
    checkpoint, scene, tmp_path, capsys, text
):
    options = ['--checkpoint', str(checkpoint), '--out', str(tmp_path / 'out'), '--no-progress']
    assert main([str(scene), text, *options]) == 0
    (line,) = [li for li in capsys.readouterr().out.splitlines() if 'of the picture' in li]
    assert text[:80].strip() in line and len(line) < 130


def test_an_export_carries_it(checkpoint, tiny_checkpoint):
    assert client_metadata(init_model(None, checkpoint))['trained_on'] == REFSHAPES.to_dict()
    assert client_metadata(init_model(None, tiny_checkpoint))['trained_on'] is None


class Session:
    """An exported model that finds everything, without running it."""

    def __init__(self, trained_on):
        self.metadata = dict(size='[64, 64]', threshold='0.5')
        if trained_on is not None:
            self.metadata['trained_on'] = json.dumps(trained_on)

    def get_inputs(self):
        return [SimpleNamespace(name='token_ids', shape=['batch', 20])]

    def get_modelmeta(self):
        return self

    @property
    def custom_metadata_map(self):
        return self.metadata

    def run(self, _, inputs):
        return [np.full((1, 1, *inputs['image'].shape[1:3]), 3, np.float32)]


@pytest.fixture
def client(tmp_path, monkeypatch, tiny_checkpoint):
    """Calls demo/onnx_client.py as a command on a folder whose network is a Session."""
    onnxruntime = pytest.importorskip('onnxruntime')
    from mmseg_remamber.apis.export import save_tokenizer

    (tmp_path / 'exported').mkdir()
    (tmp_path / 'exported' / 'model.onnx').write_bytes(b'')
    save_tokenizer(init_model(None, tiny_checkpoint), tmp_path / 'exported' / 'tokenizer.json')

    def call(picture, text='it', folder='exported', trained_on=None):
        monkeypatch.setattr(onnxruntime, 'InferenceSession', lambda path: Session(trained_on))
        arguments = [str(tmp_path / folder), str(picture), text, str(tmp_path / 'mask.png')]
        monkeypatch.setattr(sys, 'argv', ['onnx_client.py', *arguments])
        path = Path(__file__).parents[2] / 'demo' / 'onnx_client.py'
        runpy.run_path(str(path), run_name='__main__')

    return call


def test_the_client_prints_it(client, photograph, capsys):
    client(photograph, trained_on=REFSHAPES.to_dict())
    assert 'trained on: RefShapes (synthetic); drawings of' in capsys.readouterr().out
    client(photograph)  # of an earlier export
    assert 'trained on: not recorded in the export' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('content', 'text', 'folder', 'message'),
    [
        (b'no picture', 'it', 'exported', r'bad.jpg.*cannot identify image'),
        (b'', 'it', 'exported', r'bad.jpg.*cannot identify image'),
        (None, 'it', 'exported', r'bad.jpg.*No such file'),
        ('cut', 'it', 'exported', r'bad.jpg.*could not be decoded: .*truncated'),
        ('deep', 'it', 'exported', r'bad.jpg.*pixels are of 32 bits'),
        ('whole', ' \t', 'exported', 'a sentence must have a word'),
        ('whole', 'it', 'nowhere', 'has no model.onnx: not of tools/export.py'),
    ],
)
def test_the_client_ends_in_a_line(client, photograph, tmp_path, content, text, folder, message):
    path = tmp_path / 'bad.jpg'
    whole = photograph.read_bytes()
    if content == 'deep':
        Image.new('I', (4, 4)).save(path, 'tiff')
    elif content is not None:
        kinds = dict(cut=whole[: len(whole) // 2], whole=whole)
        path.write_bytes(kinds[content] if isinstance(content, str) else content)
    with pytest.raises(SystemExit, match=f'error: .*{message}'):
        client(path, text, folder)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('x = (', r"config '.*bad.py' cannot be read: .*never closed"),
        ('x = y', r"config '.*bad.py' cannot be read: name 'y'"),
        ('x = (1).y', r"config '.*bad.py' cannot be read: .*no attribute"),
        ('a = 1', r"config '.*bad.py' has no model"),
    ],
)
def test_a_config_that_is_none_is_named(checkpoint, tmp_path, content, message):
    (tmp_path / 'bad.py').write_text(content)
    arguments = ['a.jpg', 'it', '--checkpoint', str(checkpoint), '--out', str(tmp_path / 'out')]
    with pytest.raises(SystemExit, match=f'error: {message}'):
        main([*arguments, '--model', str(tmp_path / 'bad.py')])
    with pytest.raises(ValueError, match=message):
        init_model(tmp_path / 'bad.py', checkpoint)
