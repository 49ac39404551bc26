# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Bad arguments of a map scan: the kernel, the fake and the reference give the same message."""

import pytest
import torch
from inputs import make_map_inputs
from selective_scan import library, ss2d_scan, ss2d_scan_ref
from test_errors import WRONG_TYPES


def on_meta(**arguments):
    moved = {k: v.to('meta') if torch.is_tensor(v) else v for k, v in arguments.items()}
    return ss2d_scan(**moved)


SCANS = pytest.mark.parametrize('scan', [ss2d_scan, on_meta, ss2d_scan_ref])
f32 = {'dtype': torch.float32}
CASES = {
    'x dims': (
        {'x': torch.ones(2, 5, 12)},
        r'x must be \(batch, height, width, channels\), got 3 dimensions',
    ),
    'weight dims': (
        {'dt_weight': torch.ones(20, 3)},
        r'dt_weight must be \(routes, channels, rank\), got 2 dimensions',
    ),
    'A dims': (
        {'A': torch.ones(20)},
        r'A must be \(routes \* channels, state\), got 1 dimensions',
    ),
    'projections': (
        {'projections': torch.ones(2, 3, 4, 4, 8)},
        r'projections must have shape \[2, 3, 4, 4, 7\], got \[2, 3, 4, 4, 8\]',
    ),
    'projections of a map turned': (
        {'projections': torch.ones(2, 4, 3, 4, 7)},
        r'projections must have shape \[2, 3, 4, 4, 7\], got \[2, 4, 3, 4, 7\]',
    ),
    'routes': (
        {'dt_weight': torch.ones(2, 5, 3)},
        r'dt_weight must have shape \[4, 5, 3\], got \[2, 5, 3\]',
    ),
    'A': ({'A': torch.ones(5, 2)}, r'A must have shape \[20, 2\], got \[5, 2\]'),
    'D': ({'D': torch.ones(5)}, r'D must have shape \[20\], got \[5\]'),
    'bias': (
        {'delta_bias': torch.ones(4, 5)},
        r'delta_bias must have shape \[20\], got \[4, 5\]',
    ),
    'x type': (
        {'x': torch.ones(2, 3, 4, 5).long()},
        'x must be float64, float32, float16 or bfloat16, got int64',
    ),
    'projections type': (
        {'projections': torch.ones(2, 3, 4, 4, 7).double()},
        'projections must be float32 or float16 or bfloat16 for float32 x, got float64',
    ),
    'out type': (
        {'out_dtype': torch.float64},
        'out_dtype must be float32 for float32 x, got float64',
    ),
    'out type of half': (
        {'x': torch.ones(2, 3, 4, 5).half(), 'out_dtype': torch.bfloat16},
        'out_dtype must be float16 or float32 for float16 x, got bfloat16',
    ),
}


@SCANS
@pytest.mark.parametrize('case', CASES)
def test_message_names_the_argument(scan, case):
    change, match = CASES[case]
    with pytest.raises(RuntimeError, match=match):
        scan(**(make_map_inputs(**f32) | change))


@SCANS
@pytest.mark.parametrize(
    'sizes, match',
    [
        ({'batch': 0}, 'x must not be empty, got batch 0'),
        ({'height': 0}, 'x must not be empty, got height 0'),
        ({'width': 0}, 'x must not be empty, got width 0'),
        ({'channels': 0}, 'x must not be empty, got channels 0'),
        ({'state': 0}, 'A must not be empty, got state 0'),
    ],
)
def test_zero_size(scan, sizes, match):
    with pytest.raises(RuntimeError, match=match):
        scan(**make_map_inputs(**sizes, **f32))


@SCANS
def test_zero_rank(scan):
    with pytest.raises(RuntimeError, match='dt_weight must not be empty, got rank 0'):
        scan(**(make_map_inputs(**f32) | {'dt_weight': torch.ones(4, 5, 0)}))


@SCANS
@pytest.mark.parametrize('dtype', WRONG_TYPES, ids=str)
def test_types_that_are_no_numbers_for_a_scan(scan, dtype):
    inputs = make_map_inputs(**f32)
    name = str(dtype).removeprefix('torch.')
    allowed = {
        'x': 'float64, float32, float16 or bfloat16',
        'projections': 'float32 or float16 or bfloat16 for float32 x',
    }
    for key, value in inputs.items():
        if dtype.is_floating_point and key not in allowed:
            continue  # parameters may have any floating type
        with pytest.raises(RuntimeError) as error:
            scan(**(inputs | {key: torch.empty(value.shape, dtype=dtype)}))
        expected = f'{key} must be {allowed.get(key, "floating point")}, got {name}'
        assert str(error.value).splitlines()[0] == expected


@SCANS
@pytest.mark.parametrize('key', ['x', 'projections', 'dt_weight', 'A', 'D', 'delta_bias'])
def test_an_argument_without_dimensions(scan, key):
    sentences = {
        'x': 'x must be (batch, height, width, channels), got 0 dimensions',
        'projections': 'projections must have shape [2, 3, 4, 4, 7], got []',
        'dt_weight': 'dt_weight must be (routes, channels, rank), got 0 dimensions',
        'A': 'A must be (routes * channels, state), got 0 dimensions',
        'D': 'D must have shape [20], got []',
        'delta_bias': 'delta_bias must have shape [20], got []',
    }
    with pytest.raises(RuntimeError) as error:
        scan(**(make_map_inputs(**f32) | {key: torch.ones(())}))
    assert str(error.value).splitlines()[0] == sentences[key]


@SCANS
def test_out_dtype_is_a_type(scan):
    with pytest.raises(TypeError, match=r'out_dtype must be a torch\.dtype or None'):
        scan(**make_map_inputs(**f32), out_dtype='float32')


@pytest.mark.parametrize('key', ['projections', 'dt_weight', 'A', 'D', 'delta_bias'])
def test_devices_must_agree(key):
    inputs = make_map_inputs(**f32)
    inputs[key] = inputs[key].to('meta')
    with pytest.raises(RuntimeError, match=f'{key} must be on the device of x, cpu, got meta'):
        ss2d_scan(**inputs)


@pytest.mark.parametrize(
    'index, value, match',
    [
        (0, torch.ones(2, 3, 4, 6), r'dy must have shape \[2, 3, 4, 5\], got \[2, 3, 4, 6\]'),
        (0, torch.ones(2, 3, 4, 5).half(), 'out_dtype must be float32 for float32 x, got float16'),
        (
            7,
            torch.ones(2, 4, 1, 2, 5),
            r'states must have shape \[2, 4, 2, 2, 5\], got \[2, 4, 1, 2, 5\]',
        ),
    ],
)
@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_backward_checks_what_it_is_given(index, value, match, device):
    arguments = [torch.ones(2, 3, 4, 5), *make_map_inputs(**f32).values()]
    arguments += [torch.ones(2, 4, 2, 2, 5), False]
    arguments[index] = value
    arguments = [a.to(device) if torch.is_tensor(a) else a for a in arguments]
    with pytest.raises(RuntimeError, match=match):
        torch.ops.selective_scan.ss2d_backward(*arguments)


@pytest.mark.skipif(library.CUDA, reason='this build has CUDA kernels')
def test_missing_cuda_kernels_name_the_build_command():
    with pytest.raises(ImportError, match=r'FORCE_CUDA=1 pip install .* ./selective_scan'):
        library.require(torch.device('cuda'))
