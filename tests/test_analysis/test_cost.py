# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import math
from collections import Counter

import pytest
import torch
from mmengine.analysis import parameter_count
from mmseg.registry import MODELS
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from mmseg_remamber.analysis.cost import (
    build_on_meta,
    count_flops,
    measure_costs,
    measure_latency,
    peak_memory,
    random_inputs,
)
from mmseg_remamber.apis import load_config

MINI = 'configs/remamber/remamber-{}_vmamba-mini_1xb16-2800i_refshapes-80x80.py'
BASE = 'configs/remamber/remamber-{}_vmamba-b_8xb8-50e_refcoco-480x480.py'
CPU = torch.device('cpu')


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
    mlp = 2 * 2 * 16 * 24 * 16 * 64
    block = ss2d_flops(16, 16, 24) + mlp
    assert sum(flops['backbone.stages.0.0'].values()) == block


@pytest.mark.parametrize('head, published', [('conv', 574), ('mamba', 304)])
def test_base_model_against_the_published_figure(root, head, published):
    """GFLOP at 480 pixels, which also count norms and resizes, under one percent."""
    cfg = load_config(root / BASE.format(head))
    flops = count_flops(cfg, (480, 480))
    total = sum(flops[''].values()) / 1e9
    assert 0.99 * published < total < published
    parts = sum(sum(flops[name].values()) for name in ('text_encoder', 'backbone', 'decode_head'))
    assert parts == sum(flops[''].values())
    assert parameter_count(build_on_meta(cfg))['backbone.stages'] == 81_256_192


class Elements(TorchDispatchMode):
    """Elements of each operator's result, and of the four scans of each SS2D."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        first = result[0] if isinstance(result, tuple) else result
        name = func.overloadpacket.__name__
        if name == 'ss2d_forward':
            self.counts['scan'] += len(args[2]) * first.numel()
        elif isinstance(first, torch.Tensor):
            self.counts[name] += first.numel()
        return result


@pytest.mark.parametrize('head, published', [('conv', 574), ('mamba', 304)])
def test_the_rest_of_the_published_figure_is_norms_and_resizes(root, head, published):
    """fvcore's formulas for these and VMamba's for the scan, twice, as of a multiply-add."""
    cfg = load_config(root / BASE.format(head))
    operators = count_flops(cfg, (480, 480))['']
    model = build_on_meta(cfg)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with fake, torch.device('meta'), torch.no_grad(), Elements() as elements:
        model.logits(*random_inputs(model, (480, 480), 1, 'meta'))
    count = elements.counts
    # of ours the products alone: without 12 operations of each scan's element and their sums
    products = sum(operators.values()) - 12 * count['scan'] - 3 * count['scan'] // 4
    beside = 5 * count['native_layer_norm'] + 2 * count['native_batch_norm']
    beside += 4 * count['upsample_bilinear2d'] + (9 + 1) * count['scan']
    if head == 'conv':  # our last convolution's taps come before the doubling, at a quarter
        channels, pixels = cfg.model.decode_head.channels, 480**2
        products += 2 * 9 * channels * (pixels - pixels // 4)
        beside += 4 * (channels - 9) * pixels
    assert (products + 2 * beside) / 1e9 == pytest.approx(published, rel=0.003)


def test_peak_memory_is_what_a_run_holds():
    def run():
        first = torch.zeros(1_000_000)
        second = first + 1
        del first
        return second + 1

    run()
    assert peak_memory(run, CPU) == pytest.approx(8e6, rel=0.01)


def test_rounds_time_every_candidate_and_leave_the_warm_up_out():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in 'ab'}
    times = measure_latency(runs, CPU, warmup=3, repeats=4)
    assert ''.join(calls) == 'ab' * 7
    assert [len(own) for own in times.values()] == [4, 4] and min(times['a']) > 0
    with pytest.raises(ValueError, match='warmup and repeats must be at least 1, got 0 and 4'):
        measure_latency(runs, CPU, warmup=0, repeats=4)


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
    cost = measure_costs(build(root, 'cuda'), (64, 64), warmup=1, repeats=2, amp=True)['mini']
    assert cost['peak_memory_mb'] > 0 and cost['latency_ms'] > 0
