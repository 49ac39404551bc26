# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings of LAVT and LGFormer: what their programs train, and how."""

from pathlib import Path

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS
from small_families import reduced

from mmseg_remamber.checkpoints import weight_family
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta

ROOT = Path(__file__).parents[2]
FAMILIES = ('lavt', 'lgformer')
CONFIGS = [path for family in FAMILIES for path in sorted((ROOT / 'configs' / family).glob('*.py'))]
BASE = [path for path in CONFIGS if 'swin-b_' in path.name]
MINI = [path for path in CONFIGS if 'mini' in path.name]


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_builds_and_says_what_its_name_says(path):
    cfg = load_config(path)
    model = build_on_meta(cfg)
    assert sum(p.numel() for p in model.parameters()) > 1e6
    data = path.stem.rsplit('_', 1)[1].rpartition('-')[0]
    dataset = cfg.train_dataloader.dataset
    names = {dataset.dataset, f'{dataset.dataset}-{dataset.split_by}'}
    assert data in names
    for mode in ('train', 'val', 'test'):
        (step,) = (
            s for s in cfg[f'{mode}_dataloader'].dataset.pipeline if s.type == 'TokenizeText'
        )
        assert step.max_tokens == cfg.model.backbone.num_tokens
        assert (step.get('cut'), step.get('tokenizer')) == (
            ('end', 'bert-base-uncased') if path in BASE else (None, None)
        )


@pytest.mark.parametrize('path', BASE, ids=lambda path: path.stem)
def test_published_settings(path):
    cfg = load_config(path)
    processes, size = path.stem.split('_')[-2].partition('-')[0].split('xb')
    assert cfg.train_dataloader.batch_size == int(size)
    assert int(processes) * int(size) == 32 == cfg.auto_scale_lr.base_batch_size
    assert cfg.train_cfg.max_epochs == 40
    assert (cfg.optim_wrapper.type == 'AmpOptimWrapper') is path.stem.startswith('lgformer')
    (schedule,) = cfg.param_scheduler
    assert (schedule.type, schedule.power, schedule.convert_to_iter_based) == ('PolyLR', 0.9, True)
    assert cfg.model.text_encoder.dropout == (0.0 if path.stem.startswith('lavt_') else 0.1)
    assert 'custom_hooks' not in cfg or not cfg.custom_hooks


@pytest.mark.parametrize('path', [BASE[0], BASE[-1]], ids=lambda path: path.stem)
def test_what_is_trained_and_what_decays_is_as_published(path):
    cfg = load_config(path)
    model = build_on_meta(cfg)
    wrapper = build_optim_wrapper(model, dict(cfg.optim_wrapper, type='OptimWrapper'))
    groups = wrapper.optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    assert {group['lr'] for group in groups} == {5e-5}
    family = weight_family(path.parent.name)
    names = {name: torch.full_like(p, 0, device='cpu') for name, p in model.named_parameters()}
    trained_layers = cfg.model.text_encoder.trained_layers
    for (name, parameter), official in zip(
        model.named_parameters(), official_names(family, names), strict=True
    ):
        if official.startswith('text_encoder.'):
            layer = int(official.split('.')[3]) if '.layer.' in official else -1
            assert parameter.requires_grad == (0 <= layer < trained_layers), name
        else:
            dead = official.startswith('backbone.layers.3.') and 'res_gate' in official
            assert parameter.requires_grad is not dead, name
        exempt = official.startswith('backbone.') and (
            'norm' in official or 'relative_position_bias_table' in official
        )
        if parameter.requires_grad:
            assert decay[id(parameter)] == (0.0 if exempt else 0.01), name


def official_names(family, names):
    """The authors' name of each parameter of ours, one after another."""
    for name, value in names.items():
        (official,) = family.to_official({name: value})
        yield official


@pytest.mark.parametrize('path', [*BASE, *MINI], ids=lambda path: path.stem)
def test_one_step_and_one_prediction(path):
    cfg = reduced(path) if path in BASE else load_config(path)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, dict(cfg.optim_wrapper, type='OptimWrapper'))
    side = 96 if path in BASE else 80
    img, label = torch.randn(2, 3, side, side), torch.zeros(2, side, side, dtype=torch.uint8)
    label[:, 20:50, 30:60] = 1
    ids = model.text_encoder.longest_sentence(20).repeat(2, 1)
    mask = torch.ones_like(ids)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = model.train().decode_head.loss_of_maps(model.maps(img, ids, mask), label)
    wrapper.update_params(sum(losses.values()))
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert changed and not changed & frozen
    model.eval()
    with torch.no_grad():
        logits = model.logits(img, ids, mask)
    assert logits.shape == (2, 1, side, side) and logits.isfinite().all()
