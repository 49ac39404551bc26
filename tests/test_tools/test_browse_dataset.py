# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import runpy
import sys

import numpy as np
import pytest
from PIL import Image
from refer_layout import box, make_ref, write_dataset

from mmseg_remamber.visualization.browse import FedSample, draw_fed_sample

CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
REFCOCO = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refcoco-192x192.py'


@pytest.fixture
def browse(root, monkeypatch, tmp_path):
    monkeypatch.chdir(root)

    def call(config, *arguments):
        """-> pictures written, and the names of the tool."""
        out = tmp_path / 'out'
        argv = ['browse_dataset.py', config, f'--output-dir={out}', *arguments]
        monkeypatch.setattr(sys, 'argv', argv)
        names = runpy.run_path('tools/analysis_tools/browse_dataset.py', run_name='__main__')
        return sorted(out.glob('*.png')), names

    return call


def test_pictures_of_each_phase(browse, shapes, capsys):
    for phase in ('train', 'val', 'test'):
        written, _ = browse(
            CONFIG, f'--phase={phase}', '--show-number=2',
            '--cfg-options', f'{phase}_dataloader.dataset.data_root={shapes}',
        )  # fmt: skip
        assert len([path for path in written if path.name.startswith(phase)]) == 2
        assert '2 of ' in capsys.readouterr().out
        assert np.asarray(Image.open(written[-1])).std() > 5


def test_the_seed_chooses_the_samples(browse, shapes):
    option = f'val_dataloader.dataset.data_root={shapes}'
    first, _ = browse(CONFIG, '--phase=val', '--show-number=2', '--cfg-options', option)
    again, _ = browse(CONFIG, '--phase=val', '--show-number=2', '--seed=0', '--cfg-options', option)
    assert first == again
    other, _ = browse(CONFIG, '--phase=val', '--show-number=2', '--seed=3', '--cfg-options', option)
    assert len(other) > 2


def test_real_sample_is_what_the_pipeline_gives(browse, realdata, monkeypatch):
    from mmseg.registry import DATASETS

    from mmseg_remamber.configuration import load_config

    dataset = dict(
        data_root=str(realdata / 'refcoco_mini'), dataset='refcocog', split_by='umd', split='val'
    )
    options = [f'test_dataloader.dataset.{key}={value}' for key, value in dataset.items()]
    options.append('test_dataloader.dataset.pipeline.4.max_tokens=6')
    written, names = browse(REFCOCO, '--phase=test', '--cfg-options', *options)
    assert len(written) == 2
    cfg = load_config(REFCOCO, dict(option.split('=', 1) for option in options[:-1]))
    cfg.test_dataloader.dataset.pipeline[4].max_tokens = 6
    sample = names['fed_sample'](DATASETS.build(cfg.test_dataloader.dataset), 0)
    assert sample.fed_text == 'the wing of an airplane over a bus'
    assert sample.tokens == ['<|startoftext|>', 'the', 'wing', 'of', 'an', '<|endoftext|>']
    assert (sample.num_padding, sample.num_cut) == (0, 4)
    assert sample.image.shape[:2] == sample.mask.shape
    assert sample.fed_image.shape == (192, 192, 3)
    assert abs(sample.fed_mask.mean() - sample.mask.mean()) < 0.01
    # the wing lies in the upper half, before and after
    assert sample.fed_mask[:96].sum() > 0.9 * sample.fed_mask.sum()


DATA = dict(dataset='refcoco', split_by='unc', img_dir='images/train2014')


@pytest.mark.parametrize('key', ['ref_id', 'split', 'image_id', 'ann_id', 'sentences'])
def test_a_ref_without_a_field_is_named(browse, tmp_path, key):
    folder = write_dataset(tmp_path, 'refcoco', 'refs(unc).json', [make_ref(7, 1, 'val', 'dog')])
    ref = make_ref(7, 1, 'val', 'dog')
    del ref[key]
    (folder / 'refs(unc).json').write_text(json.dumps([ref]))
    options = [
        f'val_dataloader.dataset.{k}={v}' for k, v in (DATA | {'data_root': tmp_path}).items()
    ]
    name = 'the ref at position 0' if key == 'ref_id' else 'ref 7'
    with pytest.raises(SystemExit, match=rf'{name} of .*refs\(unc\)\.json: missing {key}: '):
        browse(REFCOCO, '--phase=val', '--cfg-options', *options)


@pytest.mark.parametrize('content', [b'', b'<html>', bytes(999), 'half', 'other size'])
def test_a_damaged_picture_is_named(browse, tmp_path, content):
    write_dataset(tmp_path, 'refcoco', 'refs(unc).p', [make_ref(7, 1, 'val', 'dog')])
    path = tmp_path / 'images' / 'train2014' / '1.jpg'
    if content == 'half':
        content = path.read_bytes()[: path.stat().st_size // 2]
    elif content == 'other size':
        Image.new('RGB', (7, 9)).save(path)
        content = path.read_bytes()
    path.write_bytes(content)
    options = [
        f'val_dataloader.dataset.{k}={v}' for k, v in (DATA | {'data_root': tmp_path}).items()
    ]
    with pytest.raises(SystemExit, match=r'error: .*/images/train2014/1\.jpg'):
        browse(REFCOCO, '--phase=val', '--cfg-options', *options)


def test_each_member_of_a_mixed_set_has_its_own_tokens(root, tmp_path):
    from mmseg_remamber.datasets import MixedRefDataset

    members = []
    for number, (dataset, max_tokens) in enumerate((('refcoco', 4), ('refcoco+', 9)), start=1):
        refs = [make_ref(number, number, 'train', 'the red dog on the left')]
        write_dataset(tmp_path, dataset, 'refs(unc).p', refs)
        pipeline = [
            dict(type='LoadRefImage'),
            dict(type='ChooseSentence'),
            dict(type='LoadRefMask'),
            dict(type='TokenizeText', max_tokens=max_tokens),
            dict(type='PackRefSegInputs'),
        ]
        members.append(
            dict(
                type='RefCOCODataset', data_root=str(tmp_path), dataset=dataset, split_by='unc',
                split='train', img_dir='images/train2014', pipeline=pipeline,
            )
        )  # fmt: skip
    names = runpy.run_path(str(root / 'tools/analysis_tools/browse_dataset.py'))
    mixed = MixedRefDataset(members)
    assert [names['member_of'](mixed, i) for i in range(2)] == mixed.datasets
    samples = [names['fed_sample'](mixed, index) for index in range(2)]
    assert [(len(s.tokens), s.num_padding, s.num_cut) for s in samples] == [(4, 0, 4), (8, 1, 0)]


def test_no_target_is_an_empty_mask(root, tmp_path):
    from mmseg_remamber.datasets import GRefCOCODataset

    refs = [make_ref(1, 1, 'val', 'two', ann_id=[1, 2]), make_ref(2, 1, 'val', 'no', ann_id=[-1])]
    segmentations = {1: [box(0, 0)], 2: [box(20, 10)]}
    write_dataset(tmp_path, 'grefcoco', 'grefs(unc).json', refs, segmentations=segmentations)
    pipeline = [
        dict(type='LoadRefImage'),
        dict(type='LoadRefMask'),
        dict(type='TokenizeText', max_tokens=20),
        dict(type='PackRefSegInputs'),
    ]
    dataset = GRefCOCODataset(
        str(tmp_path), 'grefcoco', 'unc', 'val', 'images/train2014', pipeline, test_mode=True
    )
    names = runpy.run_path(str(root / 'tools/analysis_tools/browse_dataset.py'))
    two, none = (names['fed_sample'](dataset, index) for index in range(2))
    assert two.mask.mean() == two.fed_mask.mean() == 0.1
    assert not none.mask.any() and not none.fed_mask.any()


def fed(**changes):
    image = np.full((20, 30, 3), 128, np.uint8)
    sample = dict(
        image=image, mask=np.zeros((20, 30), bool), sentences=['a'], name='ref 1',
        fed_image=image, fed_mask=None, fed_text='a', tokens=['<s>', 'a'], num_padding=0, num_cut=0,
    )  # fmt: skip
    return FedSample(**(sample | changes))


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize(
    'text', ['costs $5 and $6_ \\frac', 'word ' * 500, 'x' * 3000, 'a\nb', 'café ñandú'],
    ids=['math', 'long', 'unbroken', 'lines', 'accents'],
)  # fmt: skip
def test_any_sentence_is_drawn(tmp_path, text):
    draw_fed_sample(fed(sentences=[text] * 3, fed_text=text), tmp_path / 'a.png')
    with Image.open(tmp_path / 'a.png') as picture:
        assert picture.size[0] == 1200
        assert picture.size[1] < 1400


def test_whole_image_masks_and_no_target(tmp_path):
    whole = np.ones((20, 30), bool)
    draw_fed_sample(fed(mask=whole, fed_mask=~whole), tmp_path / 'a.png')
    with pytest.raises(ValueError, match=r'mask is \(3, 3\), the image \(20, 30\)'):
        draw_fed_sample(fed(mask=np.ones((3, 3), bool)), tmp_path / 'b.png')
