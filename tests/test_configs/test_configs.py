# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Every config parses and builds; the base models on the meta device, without their weights."""

from pathlib import Path

import pytest
import torch
from mmseg.registry import MODELS

from mmseg_remamber.apis import load_config

CONFIGS = sorted((Path(__file__).parents[2] / 'configs' / 'remamber').glob('*.py'))
BASE = [path for path in CONFIGS if 'vmamba-b_' in path.name]


def members(dataset):
    """The datasets that one joins, itself if it joins none."""
    return dataset.get('datasets', [dataset])


def test_the_papers_settings_are_all_there():
    names = {path.name for path in BASE}
    assert names == {
        f'remamber-{head}_vmamba-b_8xb8-50e_{data}-480x480.py'
        for head in ('conv', 'mamba')
        for data in ('refcoco', 'refcoco+', 'refcocog-umd', 'mixed')
    }


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_builds_and_says_what_its_name_says(path):
    cfg = load_config(path)
    head = path.name.split('_')[0].partition('-')[2]
    assert cfg.model.decode_head.type == {
        'conv': 'ReMamberConvHead', 'mamba': 'ReMamberMambaHead'
    }[head]  # fmt: skip
    with torch.device('meta'):
        model = MODELS.build(dict(cfg.model, data_preprocessor=None))
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
    for member in members(cfg.train_dataloader.dataset):
        resize = next(s for s in member.pipeline if s.type == 'Resize')
        assert tuple(resize.scale) == (480, 480)
        assert resize.keep_ratio is False
    assert cfg.train_dataloader.batch_size == 8
    assert cfg.train_cfg.max_epochs == 50
    assert cfg.optim_wrapper.optimizer.lr == 5e-5
    assert cfg.model.backbone.arch == 'base-s2l15'
    order = [step.type for step in cfg.test_dataloader.dataset.pipeline]
    assert order.index('Resize') < order.index('LoadRefMask')  # truth stays at original size


def test_pretrained_parts_learn_at_half_the_rate():
    from mmengine.optim import build_optim_wrapper

    cfg = load_config(BASE[0])
    cfg.model.backbone.arch = dict(
        dim=16, depths=(1, 1, 1, 1), state_dim=1, ssm_ratio=2.0, gated=False, conv_bias=False,
        mlp_ratio=4.0, patch_embed='v2', downsample='v3', drop_path_rate=0.0,
    )  # fmt: skip
    cfg.model.text_encoder.update(layers=1, width=48, vocab_size=60, eos_id=59)
    cfg.model.backbone.text_dim = 48
    cfg.model.decode_head.update(in_channels=[16, 32, 64, 128])
    model = MODELS.build(dict(cfg.model, data_preprocessor=None))
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {id(p): g['lr'] for g in groups for p in g['params']}
    decays = {g['weight_decay'] for g in groups}
    assert decays == {1e-4}
    half = ('text_encoder.', 'backbone.patch_embed.', 'backbone.stages.', 'backbone.downsamples.')
    for name, parameter in model.named_parameters():
        want = 2.5e-5 if name.startswith(half) else 5e-5
        assert rates[id(parameter)] == pytest.approx(want), name
