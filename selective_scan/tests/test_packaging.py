# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How the package is built: what setup.py decides and says, and what sdist and wheel hold."""

import os
import runpy
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import setuptools
import torch
from build_cache import contents, folder, made, tools
from torch.utils import cpp_extension

ROOT = Path(__file__).parents[1]
VARIABLES = ('FORCE_CUDA', 'TORCH_CUDA_ARCH_LIST', 'CUDA_HOME', 'CXX', 'MAX_JOBS')


@pytest.fixture
def extension(monkeypatch):
    """Runs setup.py up to its call of `setup`, and gives the extension that it asks for."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    asked = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **options: asked.update(options))
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(torch.version, 'cuda', None)

    def run():
        runpy.run_path(str(ROOT / 'setup.py'))
        return asked['ext_modules'][0]

    return run


@pytest.fixture
def toolkit(monkeypatch, tmp_path):
    """A CUDA toolkit that knows one of the default cards, and a torch for CUDA without a card."""
    compiler = tmp_path / 'bin' / 'nvcc'
    header = tmp_path / 'include' / 'cuda_runtime.h'
    for path in (compiler, header):
        path.parent.mkdir()
    compiler.write_text('#!/bin/sh\necho compute_75\necho compute_80\necho compute_90\n')
    compiler.chmod(0o755)
    header.touch()
    monkeypatch.setattr(cpp_extension, 'CUDA_HOME', str(tmp_path))
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    return tmp_path


def has_cuda(extension):
    macros = dict(extension.define_macros)
    sources = {Path(source).suffix for source in extension.sources}
    assert ('USE_CUDA' in macros) == ('.cu' in sources)
    return '.cu' in sources


def test_cuda_needs_a_torch_for_cuda(extension, toolkit):
    assert not has_cuda(extension())


def test_cuda_needs_a_toolkit(extension, monkeypatch):
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    monkeypatch.setattr(cpp_extension, 'CUDA_HOME', None)
    assert not has_cuda(extension())


def test_cuda_needs_the_headers_of_the_toolkit(extension, toolkit, monkeypatch):
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    (toolkit / 'include' / 'cuda_runtime.h').unlink()
    assert not has_cuda(extension())
    monkeypatch.setenv('FORCE_CUDA', '1')
    with pytest.raises(RuntimeError, match=f'cuda_runtime.h in {toolkit}; set CUDA_HOME'):
        extension()


def test_cuda_is_built_where_all_is_there_and_not_refused(extension, toolkit, monkeypatch):
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    assert has_cuda(extension())
    monkeypatch.setenv('FORCE_CUDA', '1')
    assert has_cuda(extension())
    monkeypatch.setenv('FORCE_CUDA', '0')
    assert not has_cuda(extension())


def test_objects_of_all_sources_have_names_of_their_own(extension, toolkit, monkeypatch):
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    objects = [Path(source).with_suffix('.o') for source in extension().sources]
    assert len(set(objects)) == len(objects)


def test_archs(extension, toolkit, monkeypatch):
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    extension()
    assert os.environ.pop('TORCH_CUDA_ARCH_LIST') == '8.0;9.0+PTX'  # what the toolkit knows
    monkeypatch.setenv('TORCH_CUDA_ARCH_LIST', '8.6')
    extension()
    assert os.environ.pop('TORCH_CUDA_ARCH_LIST') == '8.6'
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)  # torch asks the cards themselves
    extension()
    assert 'TORCH_CUDA_ARCH_LIST' not in os.environ


@pytest.mark.parametrize(
    'force, match',
    [
        ('1', r'FORCE_CUDA=1 needs a torch for CUDA, got torch 2\..* and the CUDA toolkit'),
        ('yes', r"FORCE_CUDA must be '0' or '1', or absent, got 'yes'"),
    ],
)
def test_force_cuda_that_cannot_be(extension, monkeypatch, force, match):
    monkeypatch.setattr(cpp_extension, 'CUDA_HOME', None)
    monkeypatch.setenv('FORCE_CUDA', force)
    with pytest.raises((RuntimeError, ValueError), match=match):
        extension()


def test_too_old_a_torch(extension, monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.9.1')
    with pytest.raises(RuntimeError, match=r'needs torch >= 2\.10 .* got torch 2\.9\.1'):
        extension()


def setup_py(*arguments, cwd=ROOT, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in VARIABLES} | variables
    return subprocess.run(
        [sys.executable, 'setup.py', *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_torch(tmp_path):
    (tmp_path / 'torch.py').write_text('raise ImportError("no torch here")\n')
    run = setup_py('--version', PYTHONPATH=str(tmp_path))
    assert run.returncode != 0
    assert 'needs torch >= 2.10 in the environment that it is installed into' in run.stderr
    assert 'install torch first: https://pytorch.org' in run.stderr


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows is refused before the compiler')
def test_missing_compiler(tmp_path):
    build = ('build_ext', '--build-temp', str(tmp_path), '--build-lib', str(tmp_path))
    run = setup_py(*build, CXX='/nowhere/c++ -m64')
    assert run.returncode != 0
    assert "needs a C++17 compiler, and there is no '/nowhere/c++'; install g++" in run.stderr


def test_a_failed_build_is_an_error(tmp_path):
    failing = tmp_path / 'c++'
    failing.write_text('#!/bin/sh\necho "13.0.0"\ncase "$*" in *-c*) exit 1;; esac\n')
    failing.chmod(0o755)
    build = ('build_ext', '--build-temp', str(tmp_path), '--build-lib', str(tmp_path))
    run = setup_py(*build, CXX=str(failing))
    assert run.returncode != 0
    assert not list(tmp_path.glob('**/_C*'))


@pytest.fixture(scope='module')
def sdist():
    """A folder with what an sdist holds."""

    def make(to):
        to.mkdir()
        with tempfile.TemporaryDirectory() as work:
            command = ('egg_info', '--egg-base', work, 'sdist', '--dist-dir', work)
            run = setup_py(*command)
            assert run.returncode == 0, run.stderr
            (archive,) = Path(work).glob('*.tar.gz')
            with tarfile.open(archive) as tar:
                tar.extractall(to, filter='data')

    sources = contents(ROOT, '*', 'csrc/**/*', 'selective_scan/*', 'tests/**/*')
    with folder('sdist', sources, sys.version, setuptools.__version__) as cache:
        (unpacked,) = made(cache / 'sdist', make).iterdir()
    return unpacked


def relative_files(root, patterns):
    return {str(p.relative_to(root)) for pattern in patterns for p in root.glob(pattern)}


@pytest.mark.slow
def test_sdist_holds_all_sources(sdist):
    patterns = ('csrc/**/*.*', 'selective_scan/*.py', 'tests/*.py', 'tests/cuda_emulation/*.*')
    single = ('setup.py', 'pyproject.toml', 'LICENSE', 'README.md', 'selective_scan/py.typed')
    files = relative_files(ROOT, (*patterns, *single))
    assert 'csrc/cuda/common.cuh' in files and 'csrc/checks.h' in files
    missing = sorted(file for file in files if not (sdist / file).is_file())
    assert missing == []


@pytest.mark.skipif(
    not (ROOT.parent / 'LICENSE').exists(), reason='outside the project there is one licence alone'
)
def test_licence_is_that_of_the_project():
    assert (ROOT / 'LICENSE').read_bytes() == (ROOT.parent / 'LICENSE').read_bytes()


def built_wheel(sdist, isolation):
    """A wheel built from nothing but the sdist, without a warning of the compiler.

    Both kinds are built in one folder, so that the second finds the objects of the first.
    """
    compiler = shlex.split(os.environ.get('CXX', '') or 'c++')[0]
    sources = contents(sdist, '**/*', without=('tests', 'selective_scan_op.egg-info'))
    made_from = (sources, tools(compiler), sys.version, setuptools.__version__, version('pip'))
    names = ('no-build-isolation', 'build-isolation')
    with folder('wheel', *made_from) as cache:
        if not any((cache / name).exists() for name in names):
            # Objects of a build that failed would not be built again, nor their warnings said.
            shutil.rmtree(cache / 'source', ignore_errors=True)
        source = made(cache / 'source', lambda to: shutil.copytree(sdist, to))

        def make(to):
            for earlier in source.glob('build/lib.*/selective_scan'):
                (earlier / 'gone_since.py').touch()
            options = ['--no-deps', *([] if isolation else ['--no-build-isolation'])]
            command = ['-m', 'pip', 'wheel', '-v', *options, '-w', str(to), str(source)]
            run = subprocess.run(
                [sys.executable, *command],
                env=os.environ | {'FORCE_CUDA': '0'},
                capture_output=True,
                text=True,
                check=False,
            )
            if isolation and 'No matching distribution found for setuptools' in run.stderr:
                pytest.skip('build isolation fetches setuptools, and there is no package index')
            assert run.returncode == 0, run.stdout + run.stderr
            said = (run.stdout + run.stderr).splitlines()
            assert [line for line in said if 'csrc/' in line and 'warning: ' in line] == []

        (wheel,) = made(cache / names[isolation], make).glob('*.whl')
    return wheel


@pytest.mark.slow
@pytest.mark.parametrize('isolation', [False, True], ids=['no-build-isolation', 'build-isolation'])
def test_wheel_of_the_sdist_works(sdist, tmp_path, isolation):
    """Built from nothing but the sdist; under isolation against the torch of this environment."""
    wheel = built_wheel(sdist, isolation)
    assert wheel.name.startswith('selective_scan_op-') and '-cp310-abi3-' in wheel.name

    target = tmp_path / 'installed'
    with zipfile.ZipFile(wheel) as archive:
        assert not [f for f in archive.namelist() if f.startswith(('csrc', 'tests'))]
        modules = relative_files(sdist, ('selective_scan/*.py', 'selective_scan/py.typed'))
        names = [f for f in archive.namelist() if '.dist-info/' not in f]
        assert sorted(names) == sorted([*modules, 'selective_scan/_C.so'])
        archive.extractall(target)
    code = (
        'import torch, selective_scan as s\n'
        f'assert s.__file__.startswith({str(target)!r}), s.__file__\n'
        'assert s.info()["library"] and s.info()["cuda"] is False\n'
        'torch.set_default_dtype(torch.float64); torch.manual_seed(0)\n'
        'x, w = torch.randn(1, 3, 200), torch.randn(1, 1, 2, 200)\n'
        'arguments = (x, x.abs(), -torch.rand(3, 2), w, w)\n'
        'torch.testing.assert_close('
        's.selective_scan(*arguments), s.selective_scan_ref(*arguments))\n'
    )
    run = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
