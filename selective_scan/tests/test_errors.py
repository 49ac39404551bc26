# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Bad arguments: the kernel, the fake and the reference give the same message."""

import subprocess
import sys
from pathlib import Path

import pytest
import selective_scan as package
import torch
from inputs import make_inputs
from selective_scan import selective_scan, selective_scan_ref
from torch.utils._python_dispatch import TorchDispatchMode


def on_meta(**arguments):
    moved = {k: v.to('meta') if torch.is_tensor(v) else v for k, v in arguments.items()}
    return selective_scan(**moved)


SCANS = pytest.mark.parametrize('scan', [selective_scan, on_meta, selective_scan_ref])
f32 = {'dtype': torch.float32}
CASES = {
    'u dims': ({'u': torch.ones(6, 7)}, r'u must be \(batch, channels, length\), got 2 dim'),
    'A dims': ({'A': torch.ones(6)}, r'A must be \(channels, state\), got 1 dimensions'),
    'B dims': ({'B': torch.ones(2, 7)}, r'B must be \(batch, groups, state, length\), got 2 dim'),
    'groups': (
        {'B': torch.ones(2, 4, 2, 7), 'C': torch.ones(2, 4, 2, 7)},
        'groups divide, got 6 channels, 4 groups',
    ),
    'delta': (
        {'delta': torch.ones(2, 6, 8)},
        r'delta must have shape \[2, 6, 7\], got \[2, 6, 8\]',
    ),
    'A': ({'A': torch.ones(5, 2)}, r'A must have shape \[6, 2\], got \[5, 2\]'),
    'B': ({'B': torch.ones(2, 2, 3, 7)}, r'B must have shape \[2, 2, 2, 7\], got \[2, 2, 3, 7\]'),
    'C': ({'C': torch.ones(2, 2, 2, 6)}, r'C must have shape \[2, 2, 2, 7\], got \[2, 2, 2, 6\]'),
    'D': ({'D': torch.ones(5)}, r'D must have shape \[6\], got \[5\]'),
    'bias': ({'delta_bias': torch.ones(6, 1)}, r'delta_bias must have shape \[6\], got \[6, 1\]'),
    'z': ({'z': torch.ones(2, 6, 1)}, r'z must have shape \[2, 6, 7\], got \[2, 6, 1\]'),
    'z type': ({'z': torch.ones(2, 6, 7).long()}, 'z must be floating point, got int64'),
    'u type': ({'u': torch.ones(2, 6, 7).long()}, 'u must be float64, .* or bfloat16, got int64'),
    'delta type': (
        {'delta': torch.ones(2, 6, 7).double()},
        'delta must be float32 or float16 or bfloat16 for float32 u, got float64',
    ),
    'C type': (
        {'u': torch.ones(2, 6, 7).double(), 'delta': torch.ones(2, 6, 7).double()},
        'B must be float64 for float64 u, got float32',
    ),
    'out type': (
        {'out_dtype': torch.float16},
        'out_dtype must be float32 for float32 u, got float16',
    ),
    'out type of half': (
        {'u': torch.ones(2, 6, 7).half(), 'out_dtype': torch.bfloat16},
        'out_dtype must be float16 or float32 for float16 u, got bfloat16',
    ),
}


@SCANS
@pytest.mark.parametrize('case', CASES)
def test_message_names_the_argument(scan, case):
    change, match = CASES[case]
    with pytest.raises(RuntimeError, match=match):
        scan(**(make_inputs(**f32) | change))


@SCANS
@pytest.mark.parametrize(
    'sizes, match',
    [
        ({'batch': 0}, 'u must not be empty, got batch 0'),
        ({'rows': 0}, 'u must not be empty, got channels 0'),
        ({'length': 0}, 'u must not be empty, got length 0'),
        ({'state': 0}, 'A must not be empty, got state 0'),
    ],
)
def test_zero_size(scan, sizes, match):
    with pytest.raises(RuntimeError, match=match):
        scan(**make_inputs(**sizes, **f32))


@SCANS
def test_zero_groups(scan):
    empty = torch.ones(2, 0, 2, 7)
    with pytest.raises(RuntimeError, match='B must not be empty, got groups 0'):
        scan(**(make_inputs(**f32) | {'B': empty, 'C': empty}))


WRONG_TYPES = (
    torch.complex64,
    torch.complex32,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.float8_e8m0fnu,
    torch.int32,
    torch.uint8,
    torch.uint16,
    torch.bool,
)
FLOATS = 'float32 or float16 or bfloat16 for float32 u'


@SCANS
@pytest.mark.parametrize('dtype', WRONG_TYPES, ids=str)
def test_types_that_are_no_numbers_for_a_scan(scan, dtype):
    inputs = make_inputs(**f32)
    name = str(dtype).removeprefix('torch.')
    allowed = {'u': 'float64, float32, float16 or bfloat16', 'delta': FLOATS, 'B': FLOATS}
    allowed |= {'C': FLOATS} | dict.fromkeys(('A', 'D', 'delta_bias', 'z'), 'floating point')
    for key, value in inputs.items():
        if dtype.is_floating_point and allowed[key] == 'floating point':
            continue  # parameters may have any floating type
        with pytest.raises(RuntimeError) as error:
            scan(**(inputs | {key: torch.empty(value.shape, dtype=dtype)}))
        assert str(error.value).splitlines()[0] == f'{key} must be {allowed[key]}, got {name}'


@pytest.mark.parametrize('key', ['A', 'D', 'delta_bias', 'z'])
def test_parameters_of_any_floating_type(key):
    inputs = make_inputs(**f32)
    inputs[key] = inputs[key].to(torch.float8_e5m2)
    expected = selective_scan(**(inputs | {key: inputs[key].float()}))
    assert torch.equal(selective_scan(**inputs), expected)
    torch.testing.assert_close(selective_scan_ref(**inputs), expected)


@SCANS
@pytest.mark.parametrize('key', ['u', 'delta', 'A', 'B', 'C', 'D', 'delta_bias', 'z'])
def test_an_argument_without_dimensions(scan, key):
    sentences = {
        'u': 'u must be (batch, channels, length), got 0 dimensions',
        'delta': 'delta must have shape [2, 6, 7], got []',
        'A': 'A must be (channels, state), got 0 dimensions',
        'B': 'B must be (batch, groups, state, length), got 0 dimensions',
        'C': 'C must have shape [2, 2, 2, 7], got []',
        'D': 'D must have shape [6], got []',
        'delta_bias': 'delta_bias must have shape [6], got []',
        'z': 'z must have shape [2, 6, 7], got []',
    }
    with pytest.raises(RuntimeError) as error:
        scan(**(make_inputs(**f32) | {key: torch.ones(())}))
    assert str(error.value).splitlines()[0] == sentences[key]


@SCANS
def test_out_dtype_is_a_type(scan):
    with pytest.raises(TypeError, match=r'out_dtype must be a torch\.dtype or None'):
        scan(**make_inputs(**f32), out_dtype='float32')


class Calls(TorchDispatchMode):
    """Counts the scans that run."""

    scans = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.scans += func is torch.ops.selective_scan.forward.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    'change',
    [
        {'z': torch.ones(2, 6, 1)},
        {'z': torch.ones(2, 6, 7).long()},
        {'z': torch.ones(2, 6, 7, device='meta')},
        {'out_dtype': torch.float16},
    ],
)
def test_what_the_gate_needs_is_checked_before_the_scan(change):
    with Calls() as calls:
        selective_scan(**make_inputs(**f32))
        assert calls.scans == 1
        with pytest.raises(RuntimeError):
            selective_scan(**(make_inputs(**f32) | change))
        assert calls.scans == 1


@pytest.mark.parametrize('key', ['delta', 'A', 'B', 'C', 'D', 'delta_bias', 'z'])
def test_devices_must_agree(key):
    inputs = make_inputs(**f32)
    inputs[key] = inputs[key].to('meta')
    with pytest.raises(RuntimeError, match=f'{key} must be on the device of u, cpu, got meta'):
        selective_scan(**inputs)


@pytest.mark.parametrize(
    'index, value, match',
    [
        (0, torch.ones(2, 6, 8), r'dy must have shape \[2, 6, 7\], got \[2, 6, 8\]'),
        (0, torch.ones(2, 6, 7).double(), 'out_dtype must be float32 for float32 u, got float64'),
        (1, torch.ones(2, 6, 3), r'dlast must have shape \[2, 6, 2\], got \[2, 6, 3\]'),
        (9, torch.ones(2, 6, 3, 2), r'states must have shape \[2, 6, 2, 2\], got \[2, 6, 3, 2\]'),
    ],
)
@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_backward_checks_what_it_is_given(index, value, match, device):
    inputs = make_inputs(**f32, optional=('D', 'delta_bias'))
    arguments = [torch.ones(2, 6, 7), torch.ones(2, 6, 2), *inputs.values()]
    arguments += [torch.ones(2, 6, 2, 2), False]
    arguments[index] = value
    arguments = [a.to(device) if torch.is_tensor(a) else a for a in arguments]
    with pytest.raises(RuntimeError, match=match):
        torch.ops.selective_scan.backward(*arguments)


def test_missing_kernels_name_the_build_command(tmp_path):
    # A copy of the Python files alone, as a source tree is before the build.
    copy = tmp_path / 'selective_scan'
    copy.mkdir()
    for source in Path(package.__file__).parent.glob('*.py'):
        (copy / source.name).write_text(source.read_text())
    code = (
        'import torch, selective_scan as s\n'
        'x, w = torch.ones(1, 1, 3), torch.ones(1, 1, 3)\n'
        'assert s.selective_scan_ref(x, x, -torch.ones(1, 1), w, w).shape == x.shape\n'
        'assert s.info()["library"] is None and s.info()["cuda"] is False\n'
        's.selective_scan(x, x, -torch.ones(1, 1), w, w)\n'
    )
    run = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    message = run.stderr.strip().splitlines()[-1]
    assert message.startswith('ImportError: ')
    assert message.endswith('pip install --no-build-isolation ./selective_scan')


def test_info():
    info = package.info()
    assert info['library'].startswith('_C.')
    assert info['torch_abi'] == '2.10'
    assert info['cpu_capability'] in ('default', 'avx2', 'avx512')
    assert isinstance(info['cuda'], bool)
