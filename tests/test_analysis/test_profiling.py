# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import pytest
import torch
from torch import nn

from mmseg_remamber import fast
from mmseg_remamber.analysis.cost import (
    count_flops,
    count_training_flops,
    random_inputs,
)
from mmseg_remamber.analysis.profiling import (
    Call,
    CallRecorder,
    costs_by,
    part_of,
    record_calls,
)
from mmseg_remamber.analysis.workload import inference, training_step
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model

MINI = 'configs/remamber/remamber-{}_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
CPU = torch.device('cpu')
SIZE = (64, 96)


def record(cfg, *, training=False):
    model = build_model(cfg)
    inputs = random_inputs(model, SIZE, 2, 'cpu')
    run = (training_step if training else inference)(model, inputs)
    return record_calls(model, run, CPU, rounds=1)


@pytest.fixture
def cfg(root):
    return load_config(root / MINI.format('conv'))


@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_calls_add_up_to_the_operations_of_the_model(root, head):
    cfg = load_config(root / MINI.format(head))
    modules = count_flops(cfg, SIZE)
    counted = 2 * sum(modules[''].values())
    if head == 'conv':  # its fast form runs a fraction of what is counted
        fast_head = sum(c.flops for c in record(cfg) if c.module.startswith('decode_head'))
        assert fast_head < 0.75 * 2 * sum(modules['decode_head'].values())
    with fast.disabled():
        calls = record(cfg)
    assert sum(call.flops for call in calls) == counted
    for name in ('text_encoder', 'backbone.image.stages.2', 'backbone.fusions.1.local_text'):
        own = sum(call.flops for call in calls if f'{call.module}.'.startswith(f'{name}.'))
        assert own == 2 * sum(modules[name].values())
    scans = sum(call.flops for call in calls if call.kind == 'scan')
    assert scans == 2 * modules['']['selective_scan.ss2d_forward']


def by_part(calls, phase):
    flops = Counter()
    for call in calls:
        if call.phase == phase:
            flops[part_of(call)] += call.flops
    return flops


@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_a_backward_call_belongs_to_the_module_of_its_forward(root, head):
    """Of products the backward does twice the forward's, if both inputs need a gradient."""
    cfg = load_config(root / MINI.format(head))
    with fast.disabled():
        calls = record(cfg, training=True)
    forward, backward = by_part(calls, 'forward'), by_part(calls, 'backward')
    for part, flops in forward.items():
        if part == 'backbone.image.patch_embed':  # the image needs none
            assert flops < backward[part] < 2 * flops
        elif any(word in part for word in ('local_text', 'downsamples', 'mixer', 'skip', 'neck')):
            assert backward[part] == 2 * flops
        elif flops:
            assert 2 * flops <= backward[part] < 2.5 * flops  # scans and attention recompute
    total = sum(forward.values()) + sum(backward.values())
    assert total == pytest.approx(2 * count_training_flops(cfg, SIZE), rel=1e-3)


def test_recomputed_blocks_count_again(cfg):
    """All but what follows the last activation that the backward asks for."""
    once = by_part(record(cfg, training=True), 'backward')
    forward = by_part(record(cfg), 'forward')
    cfg.model.backbone.with_cp = True
    twice = by_part(record(cfg, training=True), 'backward')
    for part in ('backbone.image.stages.1', 'backbone.fusions.2.local_text'):
        assert 0.5 * forward[part] < twice[part] - once[part] <= forward[part]
    assert twice['decode_head.mixers.0'] == once['decode_head.mixers.0'] > 0


def test_phases_and_parts_of_a_training_step(cfg):
    model = build_model(cfg)
    optimizer = torch.optim.AdamW(model.parameters())
    inputs = random_inputs(model, SIZE, 1, 'cpu')
    before = model.decode_head.conv_seg.weight.clone()
    calls = record_calls(model, training_step(model, inputs, optimizer=optimizer), CPU, rounds=2)
    assert (model.decode_head.conv_seg.weight != before).any()
    assert all(p.grad is None for p in model.parameters())
    parts = {part_of(call) for call in calls}
    assert {'text_encoder', 'backbone.fusions.3.blocks.0', 'decode_head.mixers.0'} <= parts
    updated = [call for call in calls if part_of(call) == 'update of the weights']
    assert {call.phase for call in updated} == {'update'}
    # AdamW: at least the weight, its gradient and two moments are read, and three are written
    size = 4 * sum(p.numel() for p in model.parameters())
    assert sum(call.read for call in updated) >= 4 * size
    assert sum(call.written for call in updated) >= 3 * size
    assert min(call.seconds for call in calls) > 0


X = torch.zeros(4, 6)


@pytest.mark.parametrize(
    'run, moved',
    [
        (lambda: X + X[0], (4 * 30, 4 * 24)),
        (lambda: X[0].expand(4, 6) + X, (4 * 30, 4 * 24)),
        (lambda: X.t().reshape(2, 12), (4 * 24, 4 * 24)),
        (lambda: X.view(24)[3:], (0, 0)),
        (lambda: torch.empty(5), (0, 0)),
        (lambda: X.clone().add_(X), (4 * 24 + 4 * 48, 4 * 24 + 4 * 24)),
        (lambda: X.copy_(X.t().t()), (4 * 24, 4 * 24)),
        (lambda: torch.cat((X, X[:1])), (4 * 30, 4 * 30)),
        (lambda: X.half(), (4 * 24, 2 * 24)),
        (lambda: X[torch.tensor([1])], (4 * 6 + 8, 4 * 6)),
    ],
)
def test_bytes_moved(run, moved):
    with CallRecorder(nn.Identity(), CPU) as recorder:
        run()
    calls = recorder.calls
    made = [call for call in calls if call.operator != 'aten.lift_fresh']
    assert (sum(call.read for call in made), sum(call.written for call in made)) == moved


@pytest.mark.parametrize(
    'groups, kind', [(1, 'convolution'), (2, 'convolution'), (4, 'depthwise convolution')]
)
def test_operations_of_a_grouped_convolution(groups, kind):
    conv = nn.Conv2d(4, 4, 3, padding=1, groups=groups, bias=False)
    x = torch.randn(2, 4, 5, 7, requires_grad=True)
    with CallRecorder(conv, CPU) as recorder:
        conv(x).sum().backward()
    flops = {call.operator: call.flops for call in recorder.calls if call.kind == kind}
    forward = 2 * 2 * 5 * 7 * 4 * (4 // groups) * 9
    assert flops == {'aten.convolution': forward, 'aten.convolution_backward': 2 * forward}


def test_runs_that_differ_are_refused():
    x, lengths = torch.zeros(2), iter(range(1, 5))

    def run():
        for _ in range(next(lengths)):
            x + 1

    with pytest.raises(RuntimeError, match=r'runs differ: \[2, 3\] operator calls'):
        record_calls(nn.Identity(), run, CPU, rounds=2)


def test_the_floor_is_the_longer_of_two_times_call_by_call():
    calls = [
        Call('aten.mm', 'linear', 'a', 'forward', 3.0, flops=100, read=10, written=10),
        Call('aten.add', 'elementwise and sums', 'a', 'backward', 4.0, flops=0, read=30, written=6),
    ]
    cost = costs_by(lambda call: call.module, calls, flop_rate=50, byte_rate=20)['a']
    assert (cost.total, cost.seconds['backward']) == (7.0, 4.0)
    assert (cost.flops_floor, cost.bytes_floor, cost.floor) == pytest.approx((2.0, 2.8, 3.8))
