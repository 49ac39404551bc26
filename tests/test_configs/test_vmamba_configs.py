# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""UperNet on VMamba: built whole, and trained and evaluated in small on data in ADE20K's layout.

The settings of detection and classification need their toolboxes: tests/downstream.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mmengine.registry import RUNNERS
from PIL import Image
from small_families import MINI, thin_vmamba, weight_decays

from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model, build_on_meta

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'configs' / 'vmamba' / 'segmentation'
MODELS = [
    model
    for model in yaml.safe_load((FOLDER / 'metafile.yml').read_text())['Models']
    if '-mini_' not in model['Name']
]


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model['Name'])
def test_as_published(model):
    """Parameters to the last digit, data, batch and schedule."""
    cfg, metadata = load_config(ROOT / model['Config']), model['Metadata']
    built = build_on_meta(cfg)
    assert sum(p.numel() for p in built.parameters()) == metadata['Parameters']
    gpus, batch = model['Name'].split('_')[2].partition('-')[0].split('xb')
    assert cfg.train_dataloader.batch_size == int(batch)
    assert int(gpus) * int(batch) == 16 == metadata['Batch Size']
    assert cfg.auto_scale_lr.base_batch_size == 16
    side = int(model['Name'].rpartition('x')[2])
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert tuple(steps['RandomCrop'].crop_size) == (side, side)
    assert tuple(cfg.model.data_preprocessor.size) == (side, side)
    assert tuple(steps['RandomResize'].scale) == (4 * side, side)
    assert tuple(cfg.test_dataloader.dataset.pipeline[1].scale) == (4 * side, side)
    is_vanilla = cfg.model.backbone.arch.endswith('vanilla')
    assert cfg.model.backbone.get('drop_path_rate') == (0.3 if is_vanilla else None)
    assert cfg.model.backbone.get('crop_odd_maps', False) is is_vanilla
    address = cfg.model.backbone.init_cfg.checkpoint
    assert address.startswith('https://github.com/MzeroMiko/VMamba/releases/download/%23')


@pytest.mark.parametrize(
    ('arch', 'decayed'),
    [
        ('tiny-s1l8', {'patch_embed.norm1', 'patch_embed.norm2', 'downsamples.0.norm'}),
        ('tiny-vanilla', {'stages.0.0.norm'}),
    ],
)
def test_norms_that_decay_are_those_of_the_authors_spelling(arch, decayed):
    cfg = load_config(FOLDER / f'upernet_vmamba-{arch}_8xb2-160k_ade20k-512x512.py')
    model = build_on_meta(cfg)
    for name, decay in weight_decays(cfg, model).items():
        kind = re.sub(r'\.\d+', '.0', name.removeprefix('backbone.').rpartition('.')[0])
        is_exempt = name.startswith('backbone.') and 'norm' in kind and kind not in decayed
        assert decay == (0.0 if is_exempt else 0.01), name


@pytest.fixture(scope='module')
def ade(tmp_path_factory):
    """A few pictures in ADE20K's layout."""
    folder, random = tmp_path_factory.mktemp('ade'), np.random.default_rng(0)
    for split, number in (('training', 4), ('validation', 2)):
        for kind in ('images', 'annotations'):
            (folder / kind / split).mkdir(parents=True)
        for i in range(number):
            pixels = random.integers(256, size=(70, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / 'images' / split / f'{i}.jpg')
            labels = random.integers(151, size=(7, 9), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
            Image.fromarray(labels).save(folder / 'annotations' / split / f'{i}.png')
    return folder


def small(path, data, work):
    """Its own pipelines on small pictures, with a thin backbone."""
    cfg = load_config(path)
    thin_vmamba(cfg.model.backbone)
    for head, channels in (('decode_head', [16, 32, 64, 128]), ('auxiliary_head', 64)):
        norm = dict(type='BN')
        cfg.model[head].update(in_channels=channels, channels=16, norm_cfg=norm)
    cfg.model.data_preprocessor.size = (64, 64)
    for mode in ('train', 'val', 'test'):
        loader = cfg[f'{mode}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data)
        for step in loader.dataset.pipeline:
            if step.type in ('RandomResize', 'Resize'):
                step.scale = (256, 64)
            elif step.type == 'RandomCrop':
                step.crop_size = (64, 64)
    for name in ('train_pipeline', 'test_pipeline'):  # which a dumped config would not use
        cfg.pop(name)
    cfg.work_dir = str(work)
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.default_hooks.checkpoint.interval = 2
    cfg.default_hooks.logger.interval = 1
    return cfg


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model['Name'])
def test_it_trains_and_is_evaluated_by_its_toolbox(model, ade, tmp_path):
    runner = RUNNERS.build(small(ROOT / model['Config'], ade, tmp_path))
    runner.train()
    (scalars,) = tmp_path.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert {'loss', 'decode.loss_ce', 'aux.loss_ce'} <= set(lines[0])
    assert 0 <= lines[-1]['mIoU'] <= 100
    assert (tmp_path / 'iter_2.pth').is_file()


def test_scales_of_the_original_picture_are_averaged(script, ade, tmp_path):
    """The multi-scale test: six sizes, each mirrored too, with the weights of the file."""
    cfg = small(ROOT / MODELS[0]['Config'], ade, tmp_path / 'work')
    cfg.dump(tmp_path / 'config.py')
    torch.manual_seed(0)
    model = build_model(cfg)
    with torch.no_grad():  # so that every pixel is of one class
        model.decode_head.conv_seg.bias[3] += 1e4
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    for flags in ((), ('--tta',)):
        out = tmp_path / 'metrics.json'
        script(
            'tools/test.py', tmp_path / 'config.py', tmp_path / 'model.pth', *flags,
            f'--work-dir={tmp_path}', f'--metrics-out={out}',
        )  # fmt: skip
        labels = [
            np.asarray(Image.open(path)) for path in (ade / 'annotations/validation').iterdir()
        ]
        right = sum((one == 4).sum() for one in labels) / sum((one > 0).sum() for one in labels)
        assert json.loads(out.read_text())['aAcc'] == pytest.approx(100 * right, abs=0.01)


def test_a_config_without_scales_is_named(script, tmp_path):
    with pytest.raises(SystemExit, match='has no tta_model, no tta_pipeline'):
        script('tools/test.py', MINI['remamber-conv'], tmp_path / 'none.pth', '--tta')
