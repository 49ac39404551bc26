# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The CUDA ops, host code and kernels, run on the CPU by `cuda_emulation/` and held to the
reference. It shows that the kernels compute the right thing, not that a card runs them."""

import os
import shutil
import subprocess
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from build_cache import contents, folder, made, tools
from inputs import make_inputs, make_map_inputs, relative_error
from selective_scan import selective_scan_ref, ss2d_scan_ref
from torch.utils.cpp_extension import include_paths, library_paths

ROOT = Path(__file__).parents[1]
EMULATION = ROOT / 'tests' / 'cuda_emulation'
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which('g++') is None or sysconfig.get_platform() != 'linux-x86_64',
        reason='the emulation of CUDA needs g++ on Linux x86-64',
    ),
]


FLAGS = (
    *('-std=c++17', '-O2', '-fPIC', '-U_FORTIFY_SOURCE', '-DUSE_CUDA'),
    *('-Wall', '-Wextra', '-Werror', '-Wno-unknown-pragmas'),
    f'-DTORCH_TARGET_VERSION={2 << 56 | 10 << 48:#x}ULL',
)


def build(library):
    """Compile the sources of csrc/cuda, as many at once as there are processors, and link them."""
    includes = [f'-I{path}' for path in (EMULATION, ROOT / 'csrc')]
    includes += [flag for path in include_paths() for flag in ('-isystem', path)]
    registration = ['-include', EMULATION / 'registration.h']
    sources = [f for f in (ROOT / 'csrc/cuda').glob('*.c*') if f.suffix != '.cuh']
    with tempfile.TemporaryDirectory() as objects:

        def compiled(source):
            renamed = registration if source in sources and source.suffix == '.cpp' else []
            out = Path(objects) / f'{source.name}.o'
            command = ['g++', *FLAGS, *includes, *renamed, '-x', 'c++', '-c', source, '-o', out]
            subprocess.run(command, check=True)
            return out

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made_objects = list(pool.map(compiled, [*sources, EMULATION / 'emulated.cpp']))
        # -Bsymbolic: the stand-ins for torch's CUDA functions come before torch's own.
        torch_libraries = [f'-L{path}' for path in library_paths()]
        torch_libraries += ['-ltorch', '-ltorch_cpu', '-lc10']
        link = ['g++', '-shared', '-Wl,-Bsymbolic', '-o', library, *made_objects, *torch_libraries]
        subprocess.run(link, check=True)


@pytest.fixture(scope='module')
def ops():
    sources = contents(ROOT, 'csrc/**/*', 'tests/cuda_emulation/*')
    with folder('emulation', sources, tools('g++'), *FLAGS) as cache:
        library = made(cache / 'emulated.so', build)
    torch.ops.load_library(library)
    return torch.ops.selective_scan_emulated


@pytest.fixture(params=[False, True], ids=['first-thread-first', 'last-thread-first'])
def order(request, ops):
    """Threads meet at barriers alone: results may not depend on which runs first."""
    ops.run_last_thread_first(request.param)
    yield
    ops.run_last_thread_first(False)


def expected_gradients(reference, inputs, weights):
    leaves = {k: v.detach().double().requires_grad_() for k, v in inputs.items()}
    results = reference(**leaves)
    sum((r * w).sum() for r, w in zip(results, weights, strict=True)).backward()
    return [r.detach() for r in results], {k: v.grad for k, v in leaves.items()}


def assert_close(got, expected, tolerance):
    for key, value in expected.items():
        assert relative_error(got[key], value) < tolerance, key


def random_like(shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


SCAN_KEYS = ('u', 'delta', 'A', 'B', 'C', 'D', 'delta_bias')


def run_scan(ops, inputs, softplus, dy, dlast, out_dtype):
    tensors = [inputs.get(key) for key in SCAN_KEYS]
    y, last, states = ops.forward(*tensors, softplus, out_dtype)
    gradients = ops.backward(dy, dlast, *tensors, states, softplus)
    return (y, last), dict(zip(SCAN_KEYS, gradients, strict=True))


def check_scan(ops, inputs, tolerance, *, softplus=True, out_dtype=None, with_dlast=True):
    u, A = inputs['u'], inputs['A']
    out_dtype = out_dtype or u.dtype
    dy = random_like(u.shape, out_dtype, 1)
    dlast = random_like((*u.shape[:2], A.shape[1]), A.dtype, 2)

    def reference(**leaves):
        return selective_scan_ref(**leaves, delta_softplus=softplus, return_last_state=True)

    weights = (dy.double(), dlast.double() * with_dlast)
    (y, last), expected = expected_gradients(reference, inputs, weights)
    got, gradients = run_scan(ops, inputs, softplus, dy, dlast if with_dlast else None, out_dtype)
    assert got[0].dtype == out_dtype
    assert_close({'y': got[0], 'last': got[1]}, {'y': y, 'last': last}, tolerance)
    assert_close(gradients, expected, tolerance)
    for key, gradient in gradients.items():
        if key in inputs:
            assert gradient.dtype == inputs[key].dtype and gradient.shape == inputs[key].shape, key
        else:
            assert gradient.numel() == 0, key


OPTIONAL = ('D', 'delta_bias')


# (batch, groups, rows, state, length): chunks of 128, 8 rows and 32 rows a block, 32 chunks a join
@pytest.mark.parametrize('dtype', TOLERANCE, ids=str)
@pytest.mark.parametrize(
    'shape',
    [
        (1, 1, 1, 1, 1),
        (2, 2, 3, 2, 65),
        (1, 2, 9, 3, 128),
        (1, 1, 41, 1, 129),
        (2, 1, 5, 16, 260),
        (1, 1, 1, 1, 33 * 128 + 7),
    ],
    ids=str,
)
def test_scan(ops, order, shape, dtype):
    check_scan(ops, make_inputs(*shape, dtype=dtype, optional=OPTIONAL), TOLERANCE[dtype])


@pytest.mark.parametrize('optional', [(), ('D',), ('delta_bias',)], ids='-'.join)
def test_scan_without_optional_arguments(ops, optional):
    inputs = make_inputs(1, 2, 3, 2, 130, optional=optional)
    inputs['delta'] = inputs['delta'].abs()
    check_scan(ops, inputs, 1e-12, softplus=False, with_dlast=False)


@pytest.mark.parametrize('dtype, tolerance', [(torch.bfloat16, 2e-2), (torch.float16, 3e-3)])
@pytest.mark.parametrize('out_dtype', [None, torch.float32])
@pytest.mark.parametrize('length', [131, 132])  # four values at once need a multiple of four
def test_scan_in_half_precision(ops, dtype, tolerance, out_dtype, length):
    inputs = make_inputs(2, 2, 9, 2, length, dtype=dtype, optional=OPTIONAL)
    check_scan(ops, inputs, tolerance, out_dtype=out_dtype)


def test_scan_reads_from_an_odd_address(ops):
    inputs = make_inputs(1, 1, 3, 2, 132, dtype=torch.float32, optional=OPTIONAL)
    storage = torch.zeros(inputs['u'].numel() + 1)
    storage[1:] = inputs['u'].flatten()
    inputs['u'] = storage[1:].view(inputs['u'].shape)
    assert inputs['u'].is_contiguous() and inputs['u'].data_ptr() % 16 != 0
    check_scan(ops, inputs, 1e-5)


def test_scan_of_a_zero_state_under_growth_stays_finite(ops):
    # Products of decays overflow; what they multiply is zero.
    u = torch.tensor([1.0, 0.0]).expand(1, 3, 2).contiguous()
    A = torch.tensor([[88.0], [-1e30], [0.0]])
    weight = torch.ones(1, 1, 1, 2)
    _, last, _ = ops.forward(u, torch.ones_like(u), A, weight, weight, None, None, False, u.dtype)
    expected = torch.tensor([88.0, -1e30, 0.0]).exp()
    torch.testing.assert_close(last[0, :, 0], expected, rtol=5e-6, atol=0)


MAP_KEYS = ('x', 'projections', 'dt_weight', 'A', 'D', 'delta_bias')


def run_map(ops, inputs, softplus, dy, out_dtype):
    tensors = [inputs.get(key) for key in MAP_KEYS]
    y, states = ops.ss2d_forward(*tensors, softplus, out_dtype)
    gradients = ops.ss2d_backward(dy, *tensors, states, softplus)
    return y, dict(zip(MAP_KEYS, gradients, strict=True))


def check_map(ops, inputs, tolerance, *, softplus=True, out_dtype=None):
    out_dtype = out_dtype or inputs['x'].dtype
    dy = random_like(inputs['x'].shape, out_dtype, 9)

    def reference(**leaves):
        return (ss2d_scan_ref(**leaves, delta_softplus=softplus),)

    (y,), expected = expected_gradients(reference, inputs, (dy.double(),))
    got, gradients = run_map(ops, inputs, softplus, dy, out_dtype)
    assert got.dtype == out_dtype
    assert_close({'y': got}, {'y': y}, tolerance)
    assert_close(gradients, expected, tolerance)
    for key, gradient in gradients.items():
        if key in inputs:
            assert gradient.dtype == inputs[key].dtype and gradient.shape == inputs[key].shape, key
        else:
            assert gradient.numel() == 0, key


# (batch, height, width, channels, state, rank): groups of 8 steps, chunks of 64, 8 chunks a join,
# blocks of 128 channels, tiles of 2, 4 and 16 states
@pytest.mark.parametrize('dtype', TOLERANCE, ids=str)
@pytest.mark.parametrize(
    'shape',
    [
        (1, 1, 1, 1, 1, 1),
        (2, 5, 7, 3, 1, 2),
        (1, 8, 8, 5, 2, 1),
        (1, 5, 13, 130, 1, 3),
        (1, 1, 67, 4, 17, 2),
        (1, 23, 25, 2, 5, 2),
    ],
    ids=str,
)
def test_map(ops, order, shape, dtype):
    check_map(ops, make_map_inputs(*shape, dtype=dtype), TOLERANCE[dtype])


@pytest.mark.parametrize('optional', [(), ('D',), ('delta_bias',)], ids='-'.join)
def test_map_without_optional_arguments(ops, optional):
    inputs = make_map_inputs(1, 3, 5, 3, 2, 2, optional=optional)
    inputs['projections'] = inputs['projections'].abs()
    inputs['dt_weight'] = inputs['dt_weight'].abs()
    if 'delta_bias' in inputs:
        inputs['delta_bias'] = inputs['delta_bias'].abs()
    check_map(ops, inputs, 1e-12, softplus=False)


@pytest.mark.parametrize('dtype, tolerance', [(torch.bfloat16, 2e-2), (torch.float16, 3e-3)])
@pytest.mark.parametrize('out_dtype', [None, torch.float32])
def test_map_in_half_precision(ops, dtype, tolerance, out_dtype):
    check_map(ops, make_map_inputs(1, 6, 11, 9, 3, 2, dtype=dtype), tolerance, out_dtype=out_dtype)


def test_map_of_types_and_strides_that_differ(ops):
    inputs = make_map_inputs(1, 6, 11, 9, 3, 2, dtype=torch.float32)
    inputs['projections'] = inputs['projections'].bfloat16()
    inputs['x'] = inputs['x'].permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    check_map(ops, inputs, 5e-3)
    inputs['projections'] = inputs['projections'].float()
    check_map(ops, inputs, 1e-5)


def test_map_of_more_state_than_shared_memory_holds(ops):
    inputs = make_map_inputs(1, 1, 1, 1, 1000, 1, dtype=torch.float32)
    with pytest.raises(RuntimeError, match=r'bytes of shared memory, got rank 1 and state 1000'):
        ops.ss2d_forward(*inputs.values(), True, torch.float32)


def assert_same(got, expected):
    for key, value in expected.items():
        torch.testing.assert_close(
            got[key], value, rtol=1e-8, atol=1e-10, equal_nan=True, msg=lambda m, k=key: f'{k}: {m}'
        )


@pytest.mark.parametrize('optional', [(), ('D',)], ids='-'.join)
@pytest.mark.parametrize('step', [0, 5, 129])
def test_infinities_of_a_scan(ops, optional, step):
    # Over chunks whose decays, all multiplied, are zero, as none of them is.
    inputs = make_inputs(1, 1, 3, 1, 600, optional=optional)
    inputs['delta'] = 2 + inputs['delta'].abs()
    inputs['A'] = -torch.ones_like(inputs['A'])
    keys, dy = ['u', *(k for k in inputs if k != 'u')], torch.ones_like(inputs['u'])

    def reference(**leaves):
        return (selective_scan_ref(**leaves, delta_softplus=True),)

    infinite = inputs | {'u': inputs['u'].clone()}
    infinite['u'][0, 1, step] = torch.inf
    (y,), expected = expected_gradients(reference, infinite, (dy,))
    got, gradients = run_scan(ops, infinite, True, dy, None, torch.float64)
    assert got[0][0, 1, step + 1 :].isinf().all()  # D u of the step itself may be of another sign
    assert_same({'y': got[0]}, {'y': y})
    assert_same(gradients, {k: expected[k] for k in keys})

    dy[0, 1, step] = torch.inf
    _, expected = expected_gradients(reference, inputs, (dy,))
    _, gradients = run_scan(ops, inputs, True, dy, None, torch.float64)
    assert gradients['u'][0, 1, :step].isinf().all()
    assert_same({'u': gradients['u']}, {'u': expected['u']})


def test_scan_of_a_decay_that_forgets_all(ops):
    # Steps past the end, of which there are some in a chunk, are none: 0 times this A is NaN.
    inputs = make_inputs(1, 1, 3, 2, 131, optional=())
    inputs['A'] = torch.full_like(inputs['A'], -torch.inf)
    dy = torch.ones_like(inputs['u'])

    def reference(**leaves):
        return selective_scan_ref(**leaves, delta_softplus=True, return_last_state=True)

    (y, last), expected = expected_gradients(reference, inputs, (dy, torch.zeros(1, 3, 2)))
    got, gradients = run_scan(ops, inputs, True, dy, None, torch.float64)
    assert_same({'y': got[0], 'last': got[1]}, {'y': y, 'last': last})
    assert_same(gradients, {key: expected[key] for key in ('u', 'B', 'C')})


@pytest.mark.parametrize('batch, rows', [(32, 33), (16, 70)])
def test_scan_of_many_groups_and_rows(ops, batch, rows):
    # From 1024 groups and chunks on a block takes all rows of a group, here 33, and with half of
    # them it takes 64 of 70, not 32: there are no more sums than that, however many the rows.
    inputs = make_inputs(batch, 32, rows, 1, 2, dtype=torch.float32, optional=OPTIONAL)
    check_scan(ops, inputs, 1e-5)


@pytest.mark.parametrize('optional', [(), ('D',)], ids='-'.join)
@pytest.mark.parametrize('channels', [5, 130])  # a block has 128, and threads without a channel
@pytest.mark.parametrize('place', ['x', 'dy', 'dt', 'minus dt', 'B', 'C', 'A'])
def test_infinities_of_a_map(ops, place, channels, optional):
    inputs = make_map_inputs(1, 3, 4, channels, 2, 2, optional=optional)
    for key in ('x', 'projections', 'dt_weight'):
        inputs[key] = inputs[key].abs()
    dy = torch.ones_like(inputs['x'])
    at = {'dt': 0, 'minus dt': 0, 'B': 2, 'C': 4}.get(place)
    if at is not None:
        inputs['projections'][0, 1, 2, 1, at] = -torch.inf if place == 'minus dt' else torch.inf
    elif place == 'A':
        inputs['A'] = torch.full_like(inputs['A'], -torch.inf)
    else:
        (inputs['x'] if place == 'x' else dy)[0, 1, 2, channels - 1] = torch.inf

    def reference(**leaves):
        return (ss2d_scan_ref(**leaves, delta_softplus=True),)

    (y,), expected = expected_gradients(reference, inputs, (dy,))
    got, gradients = run_map(ops, inputs, True, dy, torch.float64)
    assert_same({'y': got}, {'y': y})
    keys = ('x',) if place == 'A' else ('x', 'projections', 'D')
    assert_same(gradients, {key: expected[key] for key in keys if key in expected})


def test_repeated_runs_are_bit_identical(ops):
    inputs = make_inputs(1, 2, 40, 2, 300, dtype=torch.float32, optional=OPTIONAL)
    dy, dlast = torch.ones_like(inputs['u']), torch.ones(1, 80, 2)
    maps = make_map_inputs(1, 9, 11, 140, 2, 2, dtype=torch.float32)
    results = []
    for last_first in (False, True):
        ops.run_last_thread_first(last_first)
        scan, scan_gradients = run_scan(ops, inputs, True, dy, dlast, torch.float32)
        y, gradients = run_map(ops, maps, True, torch.ones_like(maps['x']), torch.float32)
        results.append([*scan, y, *scan_gradients.values(), *gradients.values()])
    ops.run_last_thread_first(False)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
