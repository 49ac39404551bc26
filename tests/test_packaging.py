# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What is imported is declared: by the package in setup.py, by all of the repository with a pin."""

import ast
import re
import runpy
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import setuptools

OPTIONAL = {'mambapy'}  # benchmarks/scan.py leaves it out where it is not installed
OURS = {'mmseg_remamber', 'selective_scan'}
NEIGHBOURS = ('tests', 'selective_scan/tests', 'benchmarks')  # whose files import each other


def imported(root: Path, *folders: str) -> set[str]:
    """Distributions that the Python files of some folders import."""
    modules = set()
    for path in (path for folder in folders for path in (root / folder).rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(node.module.split('.')[0])
    known = OURS | {path.stem for folder in NEIGHBOURS for path in (root / folder).glob('*.py')}
    installed = packages_distributions()
    return {
        normalised(installed.get(module, [module])[0])
        for module in modules - known - sys.stdlib_module_names
    }


def required(lines: Iterable[str]) -> set[str]:
    """Names in requirements."""
    return {normalised(re.match(r'[\w-]+', line)[0]) for line in lines if line[:1].isalnum()}


def normalised(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


def test_the_package_declares_what_it_imports_and_no_more(root, monkeypatch):
    asked = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **options: asked.update(options))
    runpy.run_path(str(root / 'setup.py'))
    declared = required(asked['install_requires'])
    assert declared == imported(root, 'mmseg_remamber') | {'selective-scan-op'}


def test_everything_imported_is_pinned(root):
    files = ('requirements.txt', 'demo/requirements.txt')
    pinned = required(line for file in files for line in (root / file).read_text().splitlines())
    folders = ('mmseg_remamber', 'selective_scan', 'tools', 'benchmarks', 'tests', 'demo')
    assert imported(root, *folders) - OPTIONAL <= pinned
