# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from inputs import make_inputs
from selective_scan import selective_scan

KEYS = ('u', 'delta', 'A', 'B', 'C', 'D', 'delta_bias', 'z')


@pytest.mark.parametrize('softplus', [False, True])
@pytest.mark.parametrize(
    'optional', [(), ('D',), ('delta_bias',), ('z',), ('D', 'delta_bias', 'z')], ids='-'.join
)
def test_gradcheck(optional, softplus):
    inputs = make_inputs(2, 2, 2, 2, 5, optional=optional)
    keys = list(inputs)

    def scan(*tensors):
        arguments = dict(zip(keys, tensors, strict=True))
        return selective_scan(**arguments, delta_softplus=softplus, return_last_state=True)

    assert torch.autograd.gradcheck(scan, [v.requires_grad_() for v in inputs.values()])


def test_gradcheck_over_chunks():
    inputs = make_inputs(1, 1, 1, 1, 131, optional=())
    tensors = [v.requires_grad_() for v in inputs.values()]
    assert torch.autograd.gradcheck(selective_scan, tensors, fast_mode=True)


@pytest.mark.parametrize('key', KEYS)
def test_gradient_of_one_argument_alone(key):
    inputs = make_inputs()
    inputs[key].requires_grad_()
    selective_scan(**inputs, delta_softplus=True).square().sum().backward()
    assert inputs[key].grad.abs().sum() > 0
    assert all(v.grad is None for k, v in inputs.items() if k != key)


def test_last_state_alone_has_gradients():
    inputs = make_inputs(optional=())
    leaves = [v.requires_grad_() for v in inputs.values()]

    def last_state(*tensors):
        return selective_scan(*tensors, return_last_state=True)[1]

    assert torch.autograd.gradcheck(last_state, leaves)


def test_no_second_derivative():
    inputs = make_inputs(optional=())
    u = inputs.pop('u').requires_grad_()
    (gradient,) = torch.autograd.grad(selective_scan(u, **inputs).sum(), u, create_graph=True)
    with pytest.raises(NotImplementedError, match='once only'):
        gradient.sum().backward()
