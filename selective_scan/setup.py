# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Build the compiled kernels. Everything else is in pyproject.toml.

Environment variables:
    FORCE_CUDA: 1 demands the CUDA kernels, 0 leaves them out; by default they are built where both
        the CUDA toolkit and a torch for CUDA are present. A card is not needed.
    TORCH_CUDA_ARCH_LIST: the cards to build for; by default those of this machine, and without
        any, all of DEFAULT_ARCHS that the toolkit knows.
    CUDA_HOME, CXX, MAX_JOBS: the CUDA toolkit, the C++ compiler, how many files to compile at once.
    CFLAGS, CXXFLAGS: flags of the compiler beside those set here; -g keeps debug information.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build import build

OLDEST_TORCH = (2, 10)  # the first stable ABI with parallel_for
OLDEST_PYTHON = (3, 10)
DEFAULT_ARCHS = ('8.0', '8.6', '8.9', '9.0', '10.0')
INSTALL_TORCH = (
    'building selective_scan needs torch >= 2.10 in the environment that it is installed into, '
    'and never downloads one; install torch first: https://pytorch.org/get-started/locally'
)
# No -march: the kernels hold code for each instruction set and pick one at load time.
COMPILE_ARGS = ['-O3', '-std=c++17', '-fopenmp-simd', '-fno-math-errno', '-fno-trapping-math']
WARNINGS = ['-Wall', '-Wextra']
INSTALL_COMPILER = 'install g++ or clang++, or set CXX'

# An isolated build hides the environment's packages. The torch to build against is among them:
# another would be gigabytes to download, and of another CUDA perhaps. Last, so that nothing else
# comes before what the build asked for.
sys.path.append(sysconfig.get_path('purelib'))
try:
    import torch
    from torch.utils import cpp_extension
except ImportError as e:
    raise ImportError(INSTALL_TORCH) from e

if tuple(int(part) for part in torch.__version__.split('.')[:2]) < OLDEST_TORCH:
    raise RuntimeError(f'{INSTALL_TORCH}; got torch {torch.__version__}')


class Build(build):
    """setuptools', but for what an earlier build left, such as a module that is gone since."""

    def finalize_options(self) -> None:
        self.in_place_of_earlier = self.build_lib is None  # not a folder that the user named
        super().finalize_options()

    def run(self) -> None:
        if self.in_place_of_earlier:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class BuildExtension(cpp_extension.BuildExtension):
    """torch's, which honours MAX_JOBS and TORCH_CUDA_ARCH_LIST, with a word on what is missing."""

    def build_extensions(self) -> None:
        if sys.platform == 'win32':
            raise RuntimeError(
                'the CPU kernels of selective_scan need GCC or Clang, for their vector types, '
                'which torch does not build extensions with on Windows; use WSL'
            )
        compiler = shlex.split(os.environ.get('CXX', '') or 'c++')[0]
        if shutil.which(compiler) is None:
            raise RuntimeError(
                f'building selective_scan needs a C++17 compiler, and there is no '
                f'{compiler!r}; {INSTALL_COMPILER}'
            )
        super().build_extensions()


def nvcc() -> Path | None:
    """The compiler of a CUDA toolkit that has its headers too, if there is one."""
    if cpp_extension.CUDA_HOME is None:
        return None
    home = Path(cpp_extension.CUDA_HOME)
    found = shutil.which('nvcc', path=home / 'bin')
    # torch takes the folder above an nvcc on PATH, which may be a mere link to the toolkit's.
    whole = found is not None and (home / 'include' / 'cuda_runtime.h').exists()
    return Path(found) if whole else None


def with_cuda() -> bool:
    """Whether to build the CUDA kernels."""
    force = os.environ.get('FORCE_CUDA', '')
    if force not in ('', '0', '1'):
        raise ValueError(f"FORCE_CUDA must be '0' or '1', or absent, got {force!r}")
    if force == '0':
        return False
    missing = []
    if torch.version.cuda is None:
        missing.append(f'a torch for CUDA, got torch {torch.__version__}')
    if nvcc() is None:
        missing.append(
            f'the CUDA toolkit: there is no bin/nvcc with include/cuda_runtime.h in '
            f'{cpp_extension.CUDA_HOME}; set CUDA_HOME'
            if cpp_extension.CUDA_HOME
            else 'the CUDA toolkit: put nvcc on PATH, or set CUDA_HOME'
        )
    if force == '1' and missing:
        raise RuntimeError(f'FORCE_CUDA=1 needs {" and ".join(missing)}')
    return not missing


def default_archs() -> str:
    """TORCH_CUDA_ARCH_LIST for a machine without a card, whose toolkit may not know all."""
    known = subprocess.run([nvcc(), '--list-gpu-arch'], capture_output=True, text=True, check=True)
    archs = [a for a in DEFAULT_ARCHS if f'compute_{a.replace(".", "")}' in known.stdout.split()]
    return ';'.join(archs) + '+PTX'


def debug_args() -> list[str]:
    """No debug information, even where Python's own flags ask for it; the user's may."""
    asked = f'{os.environ.get("CFLAGS", "")} {os.environ.get("CXXFLAGS", "")}'
    return [] if '-g' in shlex.split(asked) else ['-g0']


def extension(cuda: bool) -> Extension:
    """The kernels for the CPU and, with `cuda`, those for CUDA."""
    root = Path(__file__).parent
    target = OLDEST_TORCH[0] << 56 | OLDEST_TORCH[1] << 48
    macros = [
        ('TORCH_TARGET_VERSION', f'{target:#x}ULL'),
        # Nothing reads it. With it another torch is another command, for which ninja builds anew:
        # compilers do not list system headers among those that an object depends on.
        ('BUILT_WITH_TORCH', torch.__version__),
    ]
    arguments = {'cxx': [*COMPILE_ARGS, *WARNINGS, *debug_args()]}
    kinds, files = ('.cpp',), [f for f in sorted(root.glob('csrc/**/*')) if f.is_file()]
    make = cpp_extension.CppExtension
    if cuda:
        if not os.environ.get('TORCH_CUDA_ARCH_LIST') and not torch.cuda.device_count():
            os.environ['TORCH_CUDA_ARCH_LIST'] = default_archs()
        macros.append(('USE_CUDA', None))
        arguments['nvcc'] = ['-O3', '-std=c++17', f'-Xcompiler={",".join(WARNINGS)}']
        kinds = ('.cpp', '.cu')
        make = cpp_extension.CUDAExtension
    else:
        files = [f for f in files if 'cuda' not in f.relative_to(root).parts]
    own = str(root / 'csrc')
    made = make(
        'selective_scan._C',
        [str(f.relative_to(root)) for f in files if f.suffix in kinds],
        include_dirs=[own],
        depends=[str(f.relative_to(root)) for f in files if f.suffix in ('.h', '.cuh')],
        define_macros=macros,
        extra_compile_args=arguments,
        py_limited_api=True,
    )
    # The headers of torch and CUDA are system headers: no warnings of theirs.
    system = [flag for path in made.include_dirs if path != own for flag in ('-isystem', path)]
    made.include_dirs = [own]
    for flags in arguments.values():
        flags += system
    return made


setup(
    ext_modules=[extension(with_cuda())],
    cmdclass={
        'build': Build,
        'build_ext': BuildExtension.with_options(
            no_python_abi_suffix=True, use_ninja=shutil.which('ninja') is not None
        ),
    },
    options={'bdist_wheel': {'py_limited_api': f'cp{OLDEST_PYTHON[0]}{OLDEST_PYTHON[1]}'}},
)
