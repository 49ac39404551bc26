# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Each task trains and is evaluated in small, with its toolbox's own pipelines and metric."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch
from golden import SMALL_ARCH
from PIL import Image
from small_families import thin_detector

from mmseg_remamber.configuration import load_config
from mmseg_remamber.datasets.refshapes import write_refshapes

CONFIGS = Path(__file__).parents[2] / 'configs' / 'vmamba'


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('refshapes')
    write_refshapes(folder, dict(train=4, val=2, test=2, testC=2), size=64, seed=0)
    return folder


def on_a_cpu(cfg, work):
    for name in ('train_pipeline', 'test_pipeline'):  # which a dumped config would not use
        cfg.pop(name)
    for mode in ('train', 'val', 'test'):
        cfg[f'{mode}_dataloader'].update(num_workers=0, persistent_workers=False)
    cfg.default_hooks.logger.interval = 1
    cfg.work_dir = str(work)
    return cfg


def small_detector(name, shapes, work):
    cfg = on_a_cpu(load_config(CONFIGS / 'detection' / name), work)
    instances = shapes / 'refshapes' / 'instances.json'
    categories = [c['name'] for c in json.loads(instances.read_text())['categories']]
    thin_detector(cfg.model, len(categories))
    for mode in ('train', 'val', 'test'):
        dataset = cfg[f'{mode}_dataloader'].dataset
        dataset.update(
            data_root=str(shapes), ann_file='refshapes/instances.json',
            data_prefix=dict(img='images/'), metainfo=dict(classes=categories),
        )  # fmt: skip
        for step in dataset.pipeline:
            if step.type == 'Resize':
                step.scale = (96, 64)
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        evaluator.ann_file = str(instances)
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    return cfg


def scalars(work):
    (log,) = work.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_mask_rcnn(script, shapes, tmp_path):
    name = 'mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
    cfg = small_detector(name, shapes, tmp_path / 'work')
    cfg.dump(tmp_path / 'config.py')
    options = ('--batch-size=2', '--cfg-options', 'auto_scale_lr=None')
    script('tools/train.py', tmp_path / 'config.py', *options)
    lines = scalars(tmp_path / 'work')
    assert {'loss_cls', 'loss_bbox', 'loss_mask', 'loss_rpn_cls'} <= set(lines[0])
    assert {'coco/bbox_mAP', 'coco/segm_mAP'} <= set(lines[-1])
    out = tmp_path / 'metrics.json'
    script(
        'tools/test.py', tmp_path / 'config.py', tmp_path / 'work' / 'epoch_1.pth',
        f'--metrics-out={out}',
    )  # fmt: skip
    metrics = json.loads(out.read_text())
    for key in ('coco/bbox_mAP', 'coco/segm_mAP'):
        assert metrics[key] == pytest.approx(lines[-1][key])


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """Pictures of two classes, one folder a class."""
    root, random = tmp_path_factory.mktemp('classes'), np.random.default_rng(0)
    for split in ('train', 'val'):
        for label, name in enumerate(('dark', 'light')):
            (root / split / name).mkdir(parents=True)
            for i in range(2):
                pixels = random.integers(128, size=(70, 90, 3)) + 127 * label
                Image.fromarray(pixels.astype(np.uint8)).save(root / split / name / f'{i}.png')
    return root


def small_classifier(folders, work):
    cfg = load_config(CONFIGS / 'classification' / 'vmamba-tiny-s1l8_8xb128-300e_in1k.py')
    cfg = on_a_cpu(cfg, work)
    cfg.model.backbone.arch = SMALL_ARCH
    cfg.model.head.update(in_channels=128, num_classes=2)
    cfg.data_preprocessor.num_classes = 2
    for mode in ('train', 'val', 'test'):
        dataset = cfg[f'{mode}_dataloader'].dataset
        dataset.update(type='CustomDataset', data_root=str(folders), with_label=True)
        dataset.pop('split')
        dataset.data_prefix = 'train' if mode == 'train' else 'val'
    cfg.train_dataloader.batch_size = 2
    cfg.optim_wrapper.type = 'OptimWrapper'
    cfg.val_evaluator.topk = cfg.test_evaluator.topk = (1,)
    cfg.train_cfg.update(max_epochs=2)
    cfg.param_scheduler = []
    return cfg


def test_classification(script, folders, tmp_path):
    cfg = small_classifier(folders, tmp_path / 'work')
    cfg.dump(tmp_path / 'config.py')
    script('tools/train.py', tmp_path / 'config.py', '--cfg-options', 'auto_scale_lr=None')
    lines = scalars(tmp_path / 'work')
    assert lines[0]['loss'] > 0
    assert {'accuracy/top1', 'accuracy/top1_origin'} <= set(lines[-1])


@pytest.mark.parametrize('task', ['detection', 'classification'])
def test_a_resumed_run_is_the_whole_run(shapes, folders, tmp_path, task):
    """Bit for bit, as for every other config: flips, crops, RandAugment, mixup and averages too."""
    if task == 'detection':
        cfg = small_detector('mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-ms-3x_coco.py', shapes, tmp_path)
        cfg.train_cfg.max_epochs = 2
    else:
        cfg = small_classifier(folders, tmp_path)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.randomness = dict(seed=0)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=10**6)
    states = {}
    for name in ('whole', 'first part', 'second part'):
        cfg.work_dir = str(tmp_path / ('whole' if name == 'whole' else 'parts'))
        cfg.default_hooks.checkpoint.interval = 1 if name == 'first part' else 10**6
        cfg.resume = name == 'second part'
        stop = 1 if name == 'first part' else None
        runner, recorder = tiny_training.train(cfg, stop_after=stop)
        states[name] = (recorder.losses, runner.model.state_dict())
    losses, weights = states['whole']
    assert states['first part'][0] | states['second part'][0] == losses
    resumed = states['second part'][1]
    assert [key for key in weights if not torch.equal(weights[key], resumed[key])] == []
