# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Forward mode, second derivatives and the transforms of `torch.func`, of both ops."""

import pytest
import torch
import torch.autograd.forward_ad as forward_ad
from inputs import make_inputs, make_map_inputs, relative_error
from selective_scan import selective_scan, selective_scan_ref, ss2d_scan, ss2d_scan_ref
from torch.func import grad, jacfwd, jacrev, jvp, linearize, vjp, vmap


def small_sequence(**options):
    return make_inputs(2, 2, 2, 2, 5, **options)


def small_map(**options):
    return make_map_inputs(1, 2, 3, 2, 2, 2, **options)


OPS = {
    'sequence': (selective_scan, selective_scan_ref, small_sequence),
    'map': (ss2d_scan, ss2d_scan_ref, small_map),
}
over_ops = pytest.mark.parametrize('op', OPS)


def of_tensors(scan, inputs, **options):
    """The scan as a function of the tensors alone, in the order of `inputs`."""
    options = {'delta_softplus': True} | options
    return lambda *tensors: scan(**dict(zip(inputs, tensors, strict=True)), **options)


def of_one(scan, inputs, key, **options):
    """The scan as a function of one of its tensors."""
    options = {'delta_softplus': True} | options
    return lambda value: scan(**(inputs | {key: value}), **options)


def pair(op, **options):
    """Op and reference as functions of tensors, and the tensors."""
    scan, reference, make = OPS[op]
    inputs = make(**options)
    return of_tensors(scan, inputs), of_tensors(reference, inputs), tuple(inputs.values())


def squares(run):
    return lambda *tensors: run(*tensors).square().sum()


def tangents_like(tensors, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(t.shape, generator=generator, dtype=t.dtype) for t in tensors)


def test_the_tangent_of_a_scan_of_ones():
    ones = torch.ones(1, 1, 3)
    A = -torch.ones(1, 1)
    _, tangent = jvp(lambda u: selective_scan(u, ones, A, ones, ones), (ones,), (ones,))
    e = torch.tensor(-1.0).exp()
    torch.testing.assert_close(tangent.flatten(), torch.stack([e**0, 1 + e, 1 + e + e * e]))


@over_ops
@pytest.mark.parametrize('softplus', [False, True])
@pytest.mark.parametrize('with_optional', [False, True])
def test_forward_mode_is_that_of_the_reference(op, softplus, with_optional):
    scan, reference, make = OPS[op]
    inputs = make() if with_optional else make(optional=())
    tensors = tuple(inputs.values())
    options = {'delta_softplus': softplus}
    if op == 'sequence':
        options['return_last_state'] = True
    for keys in [*([key] for key in inputs), list(inputs)]:  # each alone, and all
        tangents = tangents_like(tensors)
        alone = tuple(
            t if key in keys else torch.zeros_like(t)
            for key, t in zip(inputs, tangents, strict=True)
        )
        got = jvp(of_tensors(scan, inputs, **options), tensors, alone)
        expected = jvp(of_tensors(reference, inputs, **options), tensors, alone)
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


@over_ops
def test_a_tangent_of_one_argument_alone(op):
    scan, reference, make = OPS[op]
    inputs = make()
    for key, value in inputs.items():
        (tangent,) = tangents_like([value])
        got = jvp(of_one(scan, inputs, key), (value,), (tangent,))
        expected = jvp(of_one(reference, inputs, key), (value,), (tangent,))
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


@over_ops
def test_dual_numbers(op):
    scan, reference, tensors = pair(op)
    tangents = tangents_like(tensors)
    with forward_ad.dual_level():
        y = scan(*(forward_ad.make_dual(*both) for both in zip(tensors, tangents, strict=True)))
        got = forward_ad.unpack_dual(y).tangent
    torch.testing.assert_close(got, jvp(reference, tensors, tangents)[1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize('softplus', [False, True])
def test_gradcheck_in_forward_mode(softplus):
    inputs = make_inputs(1, 2, 2, 2, 3)
    assert torch.autograd.gradcheck(
        of_tensors(selective_scan, inputs, delta_softplus=softplus, return_last_state=True),
        [v.requires_grad_() for v in inputs.values()],
        check_forward_ad=True,
        check_backward_ad=False,
        check_batched_forward_grad=True,
    )


def test_gradcheck_of_a_map_in_forward_mode():
    inputs = make_map_inputs(1, 1, 3, 2, 1, 2)
    assert torch.autograd.gradcheck(
        of_tensors(ss2d_scan, inputs),
        [v.requires_grad_() for v in inputs.values()],
        check_forward_ad=True,
        check_backward_ad=False,
    )


@over_ops
def test_forward_mode_over_a_long_scan_in_float32(op):
    scan, reference, _ = OPS[op]
    inputs = {
        'sequence': make_inputs(1, 2, 3, 2, 700, dtype=torch.float32),
        'map': make_map_inputs(1, 13, 21, 3, 2, 2, dtype=torch.float32),
    }[op]
    tangents = tangents_like(inputs.values())
    _, got = jvp(of_tensors(scan, inputs), tuple(inputs.values()), tangents)
    exact = tuple(v.double() for v in inputs.values())
    _, expected = jvp(of_tensors(reference, inputs), exact, tuple(t.double() for t in tangents))
    assert got.dtype == torch.float32
    assert relative_error(got, expected) < 1e-5


def test_forward_mode_of_steps_that_are_zero_or_tiny():
    inputs = make_inputs(1, 1, 2, 2, 6, dtype=torch.float32, optional=())
    inputs['delta'] = torch.tensor([0.0, 1e-30, -1e-8, 0.5, 0.0, 1e-4]).expand(1, 2, 6).contiguous()
    tangents = tangents_like(inputs.values())
    options = {'delta_softplus': False}
    _, got = jvp(of_tensors(selective_scan, inputs, **options), tuple(inputs.values()), tangents)
    exact = tuple(v.double() for v in inputs.values())
    _, expected = jvp(
        of_tensors(selective_scan_ref, inputs, **options),
        exact,
        tuple(t.double() for t in tangents),
    )
    assert relative_error(got, expected) < 1e-6


@over_ops
@pytest.mark.parametrize('out_dtype', [torch.bfloat16, torch.float32])
def test_forward_mode_in_half_precision(op, out_dtype):
    scan, reference, make = OPS[op]
    inputs = make(dtype=torch.bfloat16)
    tangents = tangents_like(inputs.values())
    run = of_tensors(scan, inputs, out_dtype=out_dtype)
    y, got = jvp(run, tuple(inputs.values()), tangents)
    exact = tuple(v.double() for v in inputs.values())
    _, expected = jvp(of_tensors(reference, inputs), exact, tuple(t.double() for t in tangents))
    assert y.dtype == got.dtype == out_dtype
    assert relative_error(got, expected) < (1e-6 if out_dtype == torch.float32 else 4e-3)


@over_ops
def test_transforms_of_torch_func(op):
    scan, reference, tensors = pair(op)
    every = tuple(range(len(tensors)))
    expected = jacfwd(reference, every)(*tensors)
    for transform in (jacfwd, jacrev):
        got = transform(scan, every)(*tensors)
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)

    got, expected = (grad(squares(run), every)(*tensors) for run in (scan, reference))
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)

    (weight,) = tangents_like([scan(*tensors)])
    got, expected = (vjp(run, *tensors)[1](weight) for run in (scan, reference))
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)

    tangents = tangents_like(tensors)
    torch.testing.assert_close(
        linearize(scan, *tensors)[1](*tangents), jvp(reference, tensors, tangents)[1]
    )


@over_ops
def test_vmap(op):
    scan, reference, make = OPS[op]
    inputs = make()
    for key, value in inputs.items():
        several = torch.stack([value, 0.5 * value, 2 * value], 1)  # along an axis inside
        run, expected = of_one(scan, inputs, key), of_one(reference, inputs, key)
        got = vmap(run, in_dims=1)(several)
        one_by_one = torch.stack([run(v) for v in several.unbind(1)])
        torch.testing.assert_close(got, one_by_one, rtol=0, atol=0)

        got, want = (vmap(grad(squares(f)), in_dims=1)(several) for f in (run, expected))
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)
        got, want = (grad(squares(vmap(f, in_dims=1)))(several) for f in (run, expected))
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)


@over_ops
@pytest.mark.parametrize('outer', [jacrev, jacfwd])
def test_second_derivatives_begin_with_forward_mode(op, outer):
    scan, reference, make = OPS[op]
    inputs = make(optional=('delta_bias',))
    for key in ('delta', 'A') if op == 'sequence' else ('dt_weight', 'A'):
        got, expected = (
            transform(jacfwd(of_one(f, inputs, key)))(inputs[key])
            for f, transform in ((scan, outer), (reference, jacrev))
        )
        assert expected.abs().max() > 0.1
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


@over_ops
@pytest.mark.parametrize('outer', [jacfwd, jacrev])
def test_second_derivatives_that_begin_with_reverse_mode_are_refused(op, outer):
    scan, _, make = OPS[op]
    inputs = make(optional=())
    with pytest.raises(NotImplementedError, match=f'{scan.__name__} can be .* once only, .*jacfwd'):
        outer(jacrev(of_one(scan, inputs, 'A')))(inputs['A'])


@over_ops
def test_no_grad_within_a_transform(op):
    scan, _, make = OPS[op]
    inputs = make(optional=())
    run = of_one(scan, inputs, 'A')

    def without(A):
        with torch.no_grad():
            return run(A).sum()

    assert grad(without)(inputs['A']).abs().max() == 0
    A = inputs['A'].clone().requires_grad_()  # at the level outside, where no_grad holds too
    with torch.no_grad():
        gradient = grad(lambda a: run(a).sum())(A)
    assert gradient.abs().max() > 0 and not gradient.requires_grad


@over_ops
@pytest.mark.parametrize('transform', ['grad', 'jvp', 'vmap'])
def test_compiled_transforms(op, transform):
    scan, reference, tensors = pair(op)
    tangents = tangents_like(tensors)
    runs = {
        'grad': lambda f: grad(squares(f)),
        'jvp': lambda f: lambda *t: jvp(f, t, tangents)[1],
        'vmap': lambda f: lambda first, *t: vmap(lambda v: f(v, *t))(torch.stack([first, -first])),
    }
    torch._dynamo.reset()
    compiled = torch.compile(runs[transform](scan), backend='aot_eager', fullgraph=True)
    expected = runs[transform](reference)(*tensors)
    torch.testing.assert_close(compiled(*tensors), expected, rtol=1e-10, atol=1e-12)


@over_ops
def test_transforms_of_an_exported_program(op):
    scan, reference, tensors = pair(op)

    class Program(torch.nn.Module):
        def forward(self, *tensors):
            return scan(*tensors)

    program = torch.export.export(Program(), tensors).module()
    tangents = tangents_like(tensors)
    got = jvp(program, tensors, tangents)
    torch.testing.assert_close(got, jvp(reference, tensors, tangents), rtol=1e-10, atol=1e-12)
