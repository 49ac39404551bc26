# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Random wrong arguments: an error that names one of them, in the kernel as in the reference."""

import random

import pytest
import torch
from inputs import make_inputs, make_map_inputs
from selective_scan import (
    selective_scan,
    selective_scan_fn,
    selective_scan_ref,
    ss2d_scan,
    ss2d_scan_ref,
)

WRONG_DTYPES = [torch.int32, torch.int64, torch.bool, torch.complex64, torch.float64]
ROUNDS = 150


def wrong_shape(tensor, rng):
    """A tensor of another shape: an axis longer, shorter, empty, dropped or added."""
    shape = list(tensor.shape)
    axis = rng.randrange(len(shape))
    kind = rng.choice(['longer', 'shorter', 'empty', 'dropped', 'added', 'scalar'])
    if kind == 'longer':
        shape[axis] += rng.randint(1, 3)
    elif kind == 'shorter':
        shape[axis] -= 1
    elif kind == 'empty':
        shape[axis] = 0
    elif kind == 'dropped':
        shape.pop(axis)
    elif kind == 'added':
        shape.insert(axis, rng.randint(2, 3))
    else:
        shape = []
    return torch.ones(shape, dtype=tensor.dtype)


def corrupt(tensor, rng):
    """Something that must not stand where `tensor` stood."""
    kind = rng.choice(['shape', 'shape', 'dtype', 'device', 'sparse', 'object'])
    if kind == 'shape':
        return wrong_shape(tensor, rng)
    if kind == 'dtype':
        return tensor.to(rng.choice(WRONG_DTYPES))
    if kind == 'device':
        return tensor.to('meta')
    if kind == 'sparse':
        return tensor.to_sparse()
    return rng.choice([1.0, 'tensor', [1.0], object()])


def harmless(value, tensor, key):
    """Whether nothing is wrong with it: parameters may have any floating type."""
    return (
        torch.is_tensor(value)
        and value.layout == torch.strided
        and value.shape == tensor.shape
        and value.device == tensor.device
        and value.dtype == torch.float64
        and key in ('A', 'D', 'delta_bias', 'dt_weight')
    )


OPS = {
    'selective_scan': (selective_scan, make_inputs),
    'selective_scan_fn': (selective_scan_fn, make_inputs),
    'ss2d_scan': (ss2d_scan, make_map_inputs),
}
REFERENCES = {'selective_scan': selective_scan_ref, 'ss2d_scan': ss2d_scan_ref}


@pytest.mark.parametrize('op', OPS)
def test_wrong_arguments_are_named(op):
    scan, make = OPS[op]
    rng = random.Random(0)
    for _ in range(ROUNDS):
        inputs = make(dtype=torch.float32)
        key = rng.choice(list(inputs))
        value = corrupt(inputs[key], rng)
        if harmless(value, inputs[key], key):
            continue
        with pytest.raises((RuntimeError, TypeError)) as error:
            scan(**(inputs | {key: value}))
        message = str(error.value)
        # The first argument gives the sizes: with it wrong, any other may be what does not fit.
        assert any(message.startswith(f'{name} must') for name in inputs), message
        assert 'Internal' not in message and 'INTERNAL' not in message
        if op in REFERENCES:
            with pytest.raises(type(error.value)) as of_reference:
                REFERENCES[op](**(inputs | {key: value}))
            assert str(of_reference.value).splitlines()[0] == message.splitlines()[0]


@pytest.mark.parametrize('op', OPS)
def test_any_strides_will_do(op):
    scan, make = OPS[op]
    rng = random.Random(1)
    expected = scan(**make(dtype=torch.float32))
    for _ in range(30):
        inputs = make(dtype=torch.float32)
        for key, tensor in inputs.items():
            order = list(range(tensor.dim()))
            rng.shuffle(order)
            inverse = [order.index(axis) for axis in range(tensor.dim())]
            storage = tensor.permute(order).contiguous()
            offset = torch.cat([torch.full((rng.randint(1, 5),), torch.nan), storage.flatten()])
            inputs[key] = offset[-tensor.numel() :].view(storage.shape).permute(inverse)
        torch.testing.assert_close(scan(**inputs), expected)


@pytest.mark.parametrize('op', OPS)
@pytest.mark.parametrize('value', [torch.nan, torch.inf, -torch.inf, 3e38, -3e38])
def test_values_that_are_no_numbers_pass_through(op, value):
    scan, make = OPS[op]
    for key in make():
        inputs = make(dtype=torch.float32)
        inputs[key] = inputs[key].clone()
        inputs[key].view(-1)[0] = value
        for tensor in inputs.values():
            tensor.requires_grad_()
        y = scan(**inputs, delta_softplus=True)
        assert y.shape == next(iter(inputs.values())).shape
        y.sum().backward()
