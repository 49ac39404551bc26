# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Build the compiled kernels. Everything else is in pyproject.toml."""

import shutil
import sys
from pathlib import Path

from setuptools import setup

try:
    import torch
    from torch.utils.cpp_extension import BuildExtension, CppExtension
except ImportError as e:
    raise ImportError(
        'building selective_scan needs torch >= 2.10 in this environment; install torch, then: '
        'pip install --no-build-isolation ./selective_scan'
    ) from e

OLDEST_TORCH = (2, 10)  # the first stable ABI with parallel_for
OLDEST_PYTHON = (3, 10)

if tuple(int(part) for part in torch.__version__.split('.')[:2]) < OLDEST_TORCH:
    raise RuntimeError(
        f'building selective_scan needs torch >= {OLDEST_TORCH[0]}.{OLDEST_TORCH[1]}, '
        f'got {torch.__version__}'
    )


def compile_args() -> list[str]:
    if sys.platform == 'win32':
        return ['/O2', '/std:c++17', '/openmp:experimental']
    # No -march: cpu/kernels.cpp holds one clone for each instruction set and picks at load time.
    return ['-O3', '-std=c++17', '-fopenmp-simd', '-fno-math-errno', '-fno-trapping-math']


def extension() -> CppExtension:
    target = OLDEST_TORCH[0] << 56 | OLDEST_TORCH[1] << 48
    root = Path(__file__).parent
    return CppExtension(
        'selective_scan._C',
        sorted(str(path.relative_to(root)) for path in root.glob('csrc/**/*.cpp')),
        include_dirs=[str(root / 'csrc')],
        define_macros=[('TORCH_TARGET_VERSION', f'{target:#x}ULL')],
        extra_compile_args={'cxx': compile_args()},
        py_limited_api=True,
    )


setup(
    ext_modules=[extension()],
    cmdclass={
        'build_ext': BuildExtension.with_options(
            no_python_abi_suffix=True, use_ninja=shutil.which('ninja') is not None
        )
    },
    options={'bdist_wheel': {'py_limited_api': f'cp{OLDEST_PYTHON[0]}{OLDEST_PYTHON[1]}'}},
)
