# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from mmengine.analysis import parameter_count
from mmseg.registry import MODELS

from mmseg_remamber.analysis.cost import count_flops, measure_costs
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta

MINI = 'configs/remamber/remamber-{}_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
BASE = 'configs/remamber/remamber-{}_vmamba-b_8xb8-50e_refcoco-480x480.py'


def ss2d_flops(dim, height, width, *, state=1, ratio=2):
    """Written out from VMamba's description of the block: projections, convolution, scan."""
    positions, inner, routes, rank = height * width, ratio * dim, 4, math.ceil(dim / 16)
    products = 2 * positions * dim * inner  # in_proj
    products += 2 * 9 * positions * inner  # depthwise 3x3
    products += 2 * positions * routes * inner * (rank + 2 * state)  # x_proj
    products += 2 * positions * routes * inner * rank  # dt_proj
    products += 2 * positions * inner * dim  # out_proj
    # of each element: state 7, step * u, D * u and its sum, bias, softplus; sum of four routes
    scan = positions * inner * (routes * (7 * state + 5) + routes - 1)
    return products + scan


def test_block_against_the_formula(root):
    flops = count_flops(load_config(root / MINI.format('conv')), (64, 96))
    dim = 24
    mlp = 2 * 2 * 16 * 24 * dim * 4 * dim
    block = ss2d_flops(dim, 16, 24) + mlp
    assert sum(flops['backbone.image.stages.0.0'].values()) == block


@pytest.mark.parametrize('head, published', [('conv', 574), ('mamba', 304)])
def test_base_model_against_the_published_figure(root, head, published):
    """GFLOP at 480 pixels, which also count norms and resizes, under one percent."""
    cfg = load_config(root / BASE.format(head))
    flops = count_flops(cfg, (480, 480))
    total = sum(flops[''].values())
    assert 0.99 * published < total / 1e9 < published
    parts = sum(sum(flops[name].values()) for name in ('text_encoder', 'backbone', 'decode_head'))
    assert parts == total
    assert parameter_count(build_on_meta(cfg))['backbone.image.stages'] == 81_256_192


def build(root, device='cpu'):
    cfg = load_config(root / MINI.format('conv'))
    model = MODELS.build(cfg.model).to(device).eval()
    model.cfg = cfg
    return dict(mini=model)


def test_cost_of_a_batch(root):
    models = build(root)
    small = measure_costs(models, (32, 32), batch=1, warmup=1, repeats=2)['mini']
    large = measure_costs(models, (64, 64), batch=2, warmup=1, repeats=2)['mini']
    assert large['throughput'] == pytest.approx(2e3 / large['latency_ms'])
    assert large['peak_memory_mb'] > 2 * small['peak_memory_mb']
    assert small['latency_ms_q1'] <= small['latency_ms'] <= small['latency_ms_q3']


@pytest.mark.gpu
def test_cost_on_cuda(root):
    if not torch.cuda.is_available():
        pytest.skip('needs a CUDA device')
    models = build(root, 'cuda')
    cost = measure_costs(models, (64, 64), warmup=1, repeats=2, dtype='float16')['mini']
    assert cost['peak_memory_mb'] > 0 and cost['latency_ms'] > 0
