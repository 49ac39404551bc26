# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from inputs import make_map_inputs
from selective_scan import ss2d_scan

KEYS = ('x', 'projections', 'dt_weight', 'A', 'D', 'delta_bias')


@pytest.mark.parametrize('softplus', [False, True])
@pytest.mark.parametrize(
    'optional', [(), ('D',), ('delta_bias',), ('D', 'delta_bias')], ids='-'.join
)
def test_gradcheck(optional, softplus):
    inputs = make_map_inputs(2, 2, 3, 2, 2, 2, optional=optional)
    if not softplus:  # steps of both signs would make some decays grow without bound
        inputs['projections'] = 0.2 * inputs['projections']
        inputs['A'] = 0.2 * inputs['A']
    keys = list(inputs)

    def scan(*tensors):
        return ss2d_scan(**dict(zip(keys, tensors, strict=True)), delta_softplus=softplus)

    assert torch.autograd.gradcheck(scan, [v.requires_grad_() for v in inputs.values()])


def test_gradcheck_over_chunks():
    inputs = make_map_inputs(1, 7, 11, 1, 1, 1, optional=())
    tensors = [v.requires_grad_() for v in inputs.values()]

    def scan(*tensors):
        return ss2d_scan(*tensors, delta_softplus=True)

    assert torch.autograd.gradcheck(scan, tensors, fast_mode=True)


@pytest.mark.parametrize('key', KEYS)
def test_gradient_of_one_argument_alone(key):
    inputs = make_map_inputs()
    inputs[key].requires_grad_()
    ss2d_scan(**inputs, delta_softplus=True).square().sum().backward()
    assert inputs[key].grad.abs().sum() > 0
    assert all(v.grad is None for k, v in inputs.items() if k != key)


def test_no_second_derivative():
    inputs = make_map_inputs(optional=())
    x = inputs.pop('x').requires_grad_()
    (gradient,) = torch.autograd.grad(ss2d_scan(x, **inputs).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match='once only'):
        gradient.sum().backward()
