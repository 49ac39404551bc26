# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import golden
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

from mmseg_remamber.engine.optim import SCAN_RATES


@pytest.fixture(scope='module')
def model():
    return MODELS.build(golden.model_config('mamba', 'small'))


@pytest.mark.parametrize(
    'paramwise_cfg', [None, dict(custom_keys=dict(backbone=dict(lr_mult=0.5)))]
)
def test_weights_alone_decay(model, paramwise_cfg):
    wrapper = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.1),
            constructor='WeightsOnlyDecayConstructor',
            paramwise_cfg=paramwise_cfg,
        ),
    )
    groups = wrapper.optimizer.param_groups
    settings = {id(p): (g['lr'], g['weight_decay']) for g in groups for p in g['params']}
    assert len(groups) == len(set(settings.values()))
    half = 1 if paramwise_cfg is None else 0.5
    seen = set()
    for name, parameter in model.named_parameters():
        last = name.rpartition('.')[2]
        decays = parameter.ndim > 1 and last not in SCAN_RATES
        rate = 1e-3 * (half if name.startswith('backbone.') else 1)
        assert settings[id(parameter)] == (rate, 0.1 if decays else 0.0), name
        seen.add((last in SCAN_RATES, decays))
    assert seen == {(True, False), (False, True), (False, False)}


def golden_batch(head):
    want = golden.arrays(f'remamber_{head}_small_64x64')
    return want['img'], want['ids'], want['mask']


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_autocast_stays_near_float32(head, dtype):
    """Logits of the published weights, and finite gradients of every parameter."""
    model = golden.build(head, 'small')
    batch = golden_batch(head)
    want = model.logits(*batch)
    with torch.autocast('cpu', dtype):
        got = model.logits(*batch)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(got.float(), (want > 0).float())
    assert golden.relative(got.float(), want) < 2e-2
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all(), name


def test_bfloat16_wrapper_runs_forward_in_bfloat16_and_updates_in_float32(model):
    wrapper = build_optim_wrapper(
        model, dict(type='BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
    )
    batch = golden_batch('mamba')
    before = model.decode_head.conv_seg.weight.detach().clone()
    with wrapper.optim_context(model):
        logits = model.logits(*batch)
        assert torch.is_autocast_enabled('cpu')
    assert logits.dtype == torch.bfloat16 and not torch.is_autocast_enabled('cpu')
    wrapper.update_params(logits.float().mean())
    after = model.decode_head.conv_seg.weight
    assert after.dtype == torch.float32 and not torch.equal(after, before)


def test_parameters_of_equal_options_are_one_group():
    torch.manual_seed(0)
    layers = {name: torch.nn.Linear(3, 3) for name in ('trunk', 'head', 'text')}
    options = dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.5),
        paramwise_cfg=dict(
            custom_keys=dict(trunk=dict(lr_mult=4.0), head=dict(lr_mult=3.0)), bias_decay_mult=0.0
        ),
    )
    model = torch.nn.ModuleDict(layers)
    apart = build_optim_wrapper(model, options).optimizer.param_groups
    merged = build_optim_wrapper(
        model, dict(options, constructor='FewGroupsConstructor')
    ).optimizer.param_groups

    def rates(groups):
        return {id(p): (g['lr'], g['weight_decay']) for g in groups for p in g['params']}

    assert rates(merged) == rates(apart)
    assert len(apart) == 6
    wanted = Counter(rates(apart).values())
    assert {(g['lr'], g['weight_decay']): len(g['params']) for g in merged} == wanted
    assert len(merged) == len(wanted) < 6
