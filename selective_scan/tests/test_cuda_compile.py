# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Every CUDA kernel compiles for every card that the wheels are for; no card is needed."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest
from build_cache import contents, folder, made, tools
from torch.utils.cpp_extension import CUDA_HOME, include_paths

CSRC = Path(__file__).parents[1] / 'csrc'
NVCC = shutil.which('nvcc') or (CUDA_HOME and shutil.which('nvcc', path=Path(CUDA_HOME) / 'bin'))
ARCHS = ('80', '86', '89', '90', '100')
FLAGS = ('-std=c++17', '-O3', '-Xcompiler=-Wall,-Wextra', f'-I{CSRC}')
HOST_FLAGS = ('-DUSE_CUDA', f'-DTORCH_TARGET_VERSION={2 << 56 | 10 << 48:#x}ULL')


def compile_with_nvcc(source, *options):
    """The folder with what nvcc said, `messages`, and with what it made, `out`."""

    def make(to):
        to.mkdir()
        system = [flag for path in include_paths() for flag in ('-isystem', path)]
        command = [NVCC, *FLAGS, *options, *system, source, '-o', to / 'out']
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        (to / 'messages').write_text(run.stderr)

    made_from = (contents(CSRC, '**/*'), tools(NVCC, 'g++'), source.name, *FLAGS[:-1], *options)
    with folder('nvcc', *made_from) as cache:
        return made(cache / 'compiled', make)


@functools.cache
def known_archs():
    run = subprocess.run([NVCC, '--list-gpu-arch'], capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(NVCC is None, reason='there is no nvcc')
@pytest.mark.parametrize('source', sorted(CSRC.glob('cuda/*.cu')), ids=lambda path: path.name)
def test_kernels_compile(source):
    missing = [arch for arch in ARCHS if f'compute_{arch}' not in known_archs()]
    if missing:
        pytest.skip(f'this nvcc does not know sm_{missing[0]}')
    codes = [f'arch=compute_{arch},code=sm_{arch}' for arch in ARCHS]
    codes.append(f'arch=compute_{ARCHS[-1]},code=compute_{ARCHS[-1]}')  # PTX, for later cards
    gencode = [option for code in codes for option in ('-gencode', code)]
    messages = compile_with_nvcc(source, '-c', '--threads', '2', *gencode) / 'messages'
    assert 'warning' not in messages.read_text(), messages.read_text()


@pytest.mark.slow
@pytest.mark.skipif(NVCC is None, reason='there is no nvcc')
@pytest.mark.parametrize('source', sorted(CSRC.glob('cuda/*.cu')), ids=lambda path: path.name)
def test_kernels_have_no_atomics(source):
    """Repeated runs are to be bit-identical: no sum may depend on which thread comes first."""
    out = compile_with_nvcc(source, '-ptx', '-arch=compute_90') / 'out'
    instructions = {line.split()[0] for line in out.read_text().splitlines() if line.strip()}
    assert any(instruction.startswith('fma.') for instruction in instructions)
    assert not [i for i in instructions if i.startswith(('atom.', 'red.'))]


@pytest.mark.slow
@pytest.mark.skipif(NVCC is None, reason='there is no nvcc')
@pytest.mark.parametrize('source', sorted(CSRC.glob('cuda/*.cpp')), ids=lambda path: path.name)
def test_host_code_compiles(source):
    messages = compile_with_nvcc(source, '-c', *HOST_FLAGS) / 'messages'
    assert 'warning' not in messages.read_text(), messages.read_text()
