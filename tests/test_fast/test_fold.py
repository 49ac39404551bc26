# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg_remamber import fast
from mmseg_remamber.models.conv import ConvModule


def module(norm='BN', bias='auto', act_cfg=dict(type='HSwish')):  # noqa: B006
    torch.manual_seed(0)
    norm_cfg = dict(type=norm, num_groups=2) if norm == 'GN' else dict(type=norm)
    made = ConvModule(4, 6, 3, padding=1, bias=bias, norm_cfg=norm_cfg, act_cfg=act_cfg).double()
    for tensor in (*made.norm.parameters(), *made.norm.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2)
    return made


@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('act_cfg', [None, dict(type='ReLU')])
def test_statistics_that_stand_still_are_folded(bias, act_cfg):
    made = module(bias=bias, act_cfg=act_cfg).eval()
    x = torch.randn(2, 4, 5, 7, dtype=torch.float64)
    called = []
    made.norm.register_forward_hook(lambda *_: called.append(1))
    with torch.no_grad():
        folded = made(x)
        assert not called
        with fast.disabled():
            torch.testing.assert_close(folded, made(x))
    assert len(called) == 1  # by the plain form


@pytest.mark.parametrize('norm', ['BN', 'GN'])
def test_any_other_norm_is_run(norm):
    made = module(norm).train()
    x = torch.randn(2, 4, 5, 7, dtype=torch.float64)
    with torch.no_grad():
        with fast.disabled():
            want = module(norm).train()(x)
        assert torch.equal(made(x), want)
    if norm == 'BN':
        assert made.norm.num_batches_tracked == 1


def test_folded_weights_keep_their_gradients():
    made = module(bias=False).eval()
    x = torch.randn(2, 4, 5, 7, dtype=torch.float64)
    want = torch.autograd.grad(made(x).square().sum(), list(made.parameters()))
    weight, bias, norm = fast.fold(made.conv, made.norm)
    assert isinstance(norm, nn.Identity)
    folded = made.activate(F.conv2d(x, weight, bias, padding=1))
    got = torch.autograd.grad(folded.square().sum(), list(made.parameters()))
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b)
