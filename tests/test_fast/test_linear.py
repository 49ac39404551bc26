# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Linear layers by oneDNN in inference, by torch elsewhere, with the same result."""

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmseg_remamber import fast
from mmseg_remamber.fast import linear
from mmseg_remamber.layers import MLP, Linear

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason='torch was built without oneDNN'
)


class Operators(TorchDispatchMode):
    """Names of the operators called within it."""

    def __enter__(self):
        self.names = set()
        return super().__enter__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))

    @property
    def by_onednn(self) -> bool:
        return 'mkldnn._linear_pointwise.default' in self.names


def tensors(*, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(2, 5, 7, 24, dtype=dtype), torch.randn(10, 24, dtype=dtype)


@needs_onednn
@pytest.mark.parametrize('gelu', [False, True])
@pytest.mark.parametrize('with_bias', [False, True])
@pytest.mark.parametrize(
    'view',
    [
        lambda x: x,
        lambda x: x[0, 0, 0],
        lambda x: x[:1, 1:4],
        lambda x: x[:, :, ::2],
        lambda x: x.permute(2, 1, 0, 3),
        lambda x: x[..., 12:].repeat(1, 1, 1, 2),
        lambda x: x[:0],
    ],
    ids=['map', 'vector', 'rows', 'every other column', 'permuted', 'repeated', 'empty'],
)
def test_inference_is_by_onednn(view, with_bias, gelu):
    x, weight = tensors()
    x, bias = view(x), torch.randn(10) if with_bias else None
    with torch.no_grad(), Operators() as operators:
        got = linear(x, weight, bias, gelu=gelu)
    assert operators.by_onednn
    want = F.linear(x.double(), weight.double(), bias if bias is None else bias.double())
    want = F.gelu(want) if gelu else want
    torch.testing.assert_close(got, want.float(), rtol=1e-5, atol=1e-5)
    assert got.is_contiguous()


@pytest.mark.parametrize('gelu', [False, True])
def test_gradients(gelu):
    x, weight = (tensor.requires_grad_() for tensor in tensors(dtype=torch.float64))
    bias = torch.randn(10, dtype=torch.float64, requires_grad=True)
    x = x[:1, :2, :2]
    assert torch.autograd.gradcheck(lambda *args: linear(*args, gelu=gelu), (x, weight, bias))


@pytest.mark.parametrize(
    'case',
    [
        'gradients',
        'float64',
        'autocast',
        'columns of a weight',
        'oneDNN switched off',
        'fast forms disabled',
        'exported',
    ],
)
def test_torch_multiplies_elsewhere(case):
    x, weight = tensors(dtype=torch.float64 if case == 'float64' else torch.float32)
    if case == 'columns of a weight':
        x, weight = x[..., :9], weight[:, :9]
    layer = Linear(weight.shape[1], 10, bias=False)
    layer.weight = nn.Parameter(weight)
    within = {
        'autocast': torch.autocast('cpu', torch.bfloat16),
        'oneDNN switched off': torch.backends.mkldnn.flags(enabled=False),
        'fast forms disabled': fast.disabled(),
    }.get(case, nullcontext())
    with torch.set_grad_enabled(case == 'gradients'), within:
        if case == 'exported':
            layer = torch.export.export(layer, (x,)).module()
        with Operators() as operators:
            got = layer(x)
        assert not operators.by_onednn
        torch.testing.assert_close(got, F.linear(x, weight))


def test_layer_is_torchs_with_the_same_parameters():
    layer = Linear(24, 10)
    assert isinstance(layer, nn.Linear) and list(layer.state_dict()) == ['weight', 'bias']


def test_mlp():
    torch.manual_seed(0)
    mlp, x = MLP(6, 9), torch.randn(2, 3, 4, 6)
    want = mlp.fc2.weight @ F.gelu(F.linear(x, mlp.fc1.weight, mlp.fc1.bias))[..., None]
    want = want[..., 0] + mlp.fc2.bias
    torch.testing.assert_close(mlp(x), want)
    with torch.no_grad():
        torch.testing.assert_close(mlp(x), want)
