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
