# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Every config parses and builds; the base models on the meta device, without their weights."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmseg.registry import METRICS, MODELS
from PIL import Image
from refer_folder import make_ref

from mmseg_remamber.cli.batch import fit_batch, fit_cpu
from mmseg_remamber.configuration import load_config
from mmseg_remamber.datasets.refer.reader import save_refs

CONFIGS = sorted((Path(__file__).parents[2] / 'configs' / 'remamber').glob('*.py'))
BASE = [path for path in CONFIGS if 'vmamba-b_' in path.name]
SPLITS = ('train', 'train', 'val', 'testA')


def reduce(cfg):
    """A base model with few and thin layers, in place: the full one needs minutes and gigabytes."""
    model = cfg.model
    model.backbone.image.update(
        arch=dict(
            dim=16, depths=(1, 1, 1, 1), state_dim=1, ssm_ratio=2.0, gated=False, conv_bias=False,
            mlp_ratio=4.0, patch_embed='v2', downsample='v3', drop_path_rate=0.0,
        ),
        init_cfg=None,
    )  # fmt: skip
    model.backbone.update(text_dim=48)
    model.backbone.fusion.update(depth=1, hidden_dim=32)
    model.text_encoder.update(layers=1, width=48, pretrained=None)
    model.decode_head.update(in_channels=[16, 32, 64, 128])
    if model.decode_head.type == 'ReMamberConvHead':
        model.decode_head.channels = 32
    else:
        model.decode_head.update(text_dim=48, hidden_dim=32)
    return cfg


@cache
def build(model, device):
    """The model of a printed config, built once, as many configs share it."""
    torch.manual_seed(0)
    with torch.device(device):
        return MODELS.build(json.loads(model))


def model_of(cfg, device='cpu'):
    """The model of a config, which others may have trained a step."""
    return build(json.dumps(cfg.model.to_dict(), sort_keys=True), device)


def members(dataset):
    """The datasets that one joins, itself if it joins none."""
    return dataset.get('datasets', [dataset])


def test_the_papers_settings_are_all_there():
    names = {path.name for path in BASE}
    assert names == {
        f'remamber-{head}_vmamba-b_8xb8-50e_{data}-{size}x{size}.py'
        for head in ('conv', 'mamba')
        for data in ('refcoco', 'refcoco+', 'refcocog-umd', 'mixed')
        for size in (480, 256)
    }


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_builds_and_says_what_its_name_says(path):
    cfg = load_config(path)
    head = path.name.split('_')[0].partition('-')[2]
    assert cfg.model.decode_head.type == {
        'conv': 'ReMamberConvHead', 'mamba': 'ReMamberMambaHead'
    }[head]  # fmt: skip
    model = model_of(cfg, 'meta')
    assert sum(p.numel() for p in model.parameters()) > 1e6
    datasets = [
        member
        for mode in ('train', 'val', 'test')
        for member in members(cfg[f'{mode}_dataloader'].dataset)
    ]
    for dataset in datasets:
        tokens = {step.max_tokens for step in dataset.pipeline if step.type == 'TokenizeText'}
        assert tokens == {cfg.model.backbone.num_tokens}
    data = path.stem.split('_')[-1].rsplit('-', 1)
    trained_on = [member.dataset for member in members(cfg.train_dataloader.dataset)]
    if data[0] == 'mixed':
        assert trained_on == ['refcoco', 'refcoco+', 'refcocog']
    else:
        assert trained_on == [data[0].partition('-')[0]]


@pytest.mark.parametrize('path', BASE, ids=lambda path: path.stem)
def test_paper_settings(path):
    cfg = load_config(path)
    size = int(path.stem.rsplit('x', 1)[1])
    for member in members(cfg.train_dataloader.dataset):
        resize = next(s for s in member.pipeline if s.type == 'Resize')
        assert tuple(resize.scale) == (size, size)
        assert resize.keep_ratio is False
    assert cfg.train_dataloader.batch_size == 8
    assert cfg.train_cfg.max_epochs == 50
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.optimizer.lr == 5e-5
    assert cfg.model.backbone.image.arch == 'base-s2l15'
    assert cfg.auto_scale_lr.base_batch_size == 64
    order = [step.type for step in cfg.test_dataloader.dataset.pipeline]
    assert order.index('Resize') < order.index('LoadRefMask')  # truth stays at original size


@pytest.mark.parametrize(
    ('processes', 'size', 'accumulated'), [(8, None, 1), (1, None, 8), (1, 2, 32)]
)
@pytest.mark.parametrize('path', BASE, ids=lambda path: path.stem)
def test_smaller_machines_take_the_same_steps(path, processes, size, accumulated):
    """Of 64 images each; nothing but the batches differs, and mixed precision on a CPU."""
    cfg, published = load_config(path), load_config(path)
    fit_batch(cfg, size, None, processes)
    wrapper = cfg.optim_wrapper
    assert wrapper.get('accumulative_counts', 1) == accumulated
    assert processes * cfg.train_dataloader.batch_size * accumulated == 64
    assert wrapper.pop('accumulative_counts', None) in (None, accumulated)
    if accumulated > 1:  # no schedule counts iterations
        assert cfg.default_hooks.param_scheduler.type == 'UpdateSchedulerHook'
        cfg.default_hooks.param_scheduler.type = 'ParamSchedulerHook'
    if size == 2:
        fit_cpu(cfg)
        assert wrapper.type == 'OptimWrapper'
        wrapper.type = 'AmpOptimWrapper'
        for mode in ('train', 'val', 'test'):
            loader = cfg[f'{mode}_dataloader']
            assert (loader.batch_size, loader.num_workers) == (2, 1)
            loader.update(batch_size=8, num_workers=4)
    assert cfg.to_dict() == published.to_dict()


@pytest.fixture(scope='session')
def data_root(tmp_path_factory):
    """Two photographs' worth of noise under every name that a config may ask for."""
    root = tmp_path_factory.mktemp('two_samples')
    rng = np.random.default_rng(0)
    names = dict(refcoco='unc', refcocog='umd', refshapes='synthetic')
    for name, split_by in {**names, 'refcoco+': 'unc'}.items():
        folder = root / ('images' if name == 'refshapes' else 'images/train2014')
        folder.mkdir(parents=True, exist_ok=True)
        images, annotations, refs = [], [], []
        for number in range(4):
            size = (80, 80) if name == 'refshapes' else (50 + 7 * number, 64)
            file_name = f'{name}_{number}.png'
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / file_name)
            images.append(dict(id=number, file_name=file_name, height=size[0], width=size[1]))
            square = [5.0, 5.0, 40.0, 5.0, 40.0, 40.0, 5.0, 40.0]
            annotations.append(dict(id=number, image_id=number, segmentation=[square]))
            refs.append(make_ref(number, number, number, ['the square'], SPLITS[number]))
        (root / name).mkdir()
        instances = dict(images=images, annotations=annotations)
        (root / name / 'instances.json').write_text(json.dumps(instances))
        save_refs(refs, root / name / f'refs({split_by}).p')
    return root


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_one_step_and_one_prediction(path, data_root):
    """With the config's own pipelines on two samples; base models with few and thin layers."""
    cfg = load_config(path)
    if path in BASE:
        reduce(cfg)
    for mode in ('train', 'val', 'test'):
        loader = cfg[f'{mode}_dataloader']
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        for member in members(loader.dataset):
            member.data_root = str(data_root)
    model = model_of(cfg)
    # the float16 of AMP needs a GPU
    wrapper = build_optim_wrapper(model, dict(cfg.optim_wrapper, type='OptimWrapper'))
    batch = next(iter(Runner.build_dataloader(cfg.train_dataloader)))
    losses = model.train().train_step(batch, wrapper)
    assert torch.isfinite(losses['loss'])
    loader = Runner.build_dataloader(cfg.test_dataloader)
    evaluator = METRICS.build(cfg.test_evaluator)
    with torch.no_grad():
        for batch in loader:
            found = model.eval().test_step(batch)
            evaluator.process(batch, [sample.to_dict() for sample in found])
    assert evaluator.evaluate(len(loader.dataset))['num_sentences'] == 1


def test_pretrained_parts_learn_at_half_the_rate():
    cfg = reduce(load_config(BASE[0]))
    model = model_of(cfg, 'meta')
    settings = dict(cfg.optim_wrapper, type='OptimWrapper')
    groups = build_optim_wrapper(model, settings).optimizer.param_groups
    rates = {id(p): g['lr'] for g in groups for p in g['params']}
    decays = {g['weight_decay'] for g in groups}
    assert decays == {1e-4}
    half = ('text_encoder.', 'backbone.image.')
    for name, parameter in model.named_parameters():
        want = 2.5e-5 if name.startswith(half) else 5e-5
        assert rates[id(parameter)] == pytest.approx(want), name
