# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Each task trains and is evaluated in small, with its toolbox's own pipelines and metric."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch
from PIL import Image
from small_families import thin_detector, thin_vmamba

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
    cfg.visualizer.pop('name')  # runs of one process would share the first one's
    return cfg


def scalars(work):
    (log,) = work.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def names_of(task):
    """The published settings of a task; those of the small runs have a test of their own."""
    return sorted(p.name for p in (CONFIGS / task).glob('*.py') if '-mini_' not in p.name)


@pytest.mark.parametrize('name', names_of('detection'))
def test_mask_rcnn(script, shapes, tmp_path, name):
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


def small_classifier(folders, work, name='vmamba-tiny-s1l8_8xb128-300e_in1k.py'):
    cfg = on_a_cpu(load_config(CONFIGS / 'classification' / name), work)
    thin_vmamba(cfg.model.backbone)
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


@pytest.mark.parametrize('name', names_of('classification'))
def test_classification(script, folders, tmp_path, name):
    cfg = small_classifier(folders, tmp_path / 'work', name)
    cfg.dump(tmp_path / 'config.py')
    script('tools/train.py', tmp_path / 'config.py', '--cfg-options', 'auto_scale_lr=None')
    lines = scalars(tmp_path / 'work')
    assert lines[0]['loss'] > 0
    averaged = {'accuracy/top1_origin'} if 'tiny-vanilla' not in name else set()
    assert {'accuracy/top1'} | averaged <= set(lines[-1])


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


@pytest.fixture(scope='module')
def small_runs(tmp_path_factory, request):
    """Folders of finished small runs, by task; each is run once."""
    made = {}

    def of(task):
        if task not in made:
            made[task] = tmp_path_factory.mktemp(task) / 'run'
            request.getfixturevalue('script')(
                'tools/small_run.py', task, '--out', made[task], '--scenes', 24, '--val-scenes', 2,
                '--length', 1, '--imports', 'without_torchvision',
            )  # fmt: skip
        return made[task]

    return of


@pytest.mark.parametrize(
    ('task', 'key'), [('detection', 'coco/segm_mAP_50'), ('classification', 'accuracy/top1')]
)
def test_small_run(small_runs, task, key, monkeypatch):
    """From nothing to pictures, as the guide has it."""
    helpers = Path(__file__).parents[1] / 'helpers'
    monkeypatch.setenv('PYTHONPATH', str(helpers))
    out = small_runs(task)
    assert 0 <= json.loads((out / 'metrics.json').read_text())['val'][key] <= 100
    for name in ('gallery.png', 'curves.png'):
        assert (out / name).stat().st_size > 10_000


def test_scale_up(script, small_runs, monkeypatch, tmp_path):
    """At the size of training the accuracy is that of the test; of random weights there is none."""
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).parents[1] / 'helpers'))
    run = small_runs('classification')
    (config,) = run.glob('*.py')
    out = tmp_path / 'scale.png'
    script(
        'tools/analysis_tools/scale_up.py', '--model', config, run / 'work/epoch_1.pth',
        '--model', config, '--names', 'trained', 'random', '--sizes', 32, 48,
        '--trained-at', 48, '--warmup', 1, '--repeats', 1, '--batch-size', 2, '--out', out,
    )  # fmt: skip
    assert out.stat().st_size > 10_000
    results = json.loads(out.with_suffix('.json').read_text())['results']
    assert [(r['model'], r['size']) for r in results] == [
        (name, size) for size in (32, 48) for name in ('trained', 'random')
    ]
    want = json.loads((run / 'metrics.json').read_text())['val']['accuracy/top1']
    assert results[2]['accuracy/top1'] == pytest.approx(want)
    assert 'accuracy/top1' not in results[3]
    assert results[3]['published_flops'] > 1.5 * results[1]['published_flops']
