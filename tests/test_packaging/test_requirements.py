# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What is imported is declared: by the package as a range, by all of the repository with a pin."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from mmseg_remamber import openmmlab
from mmseg_remamber.version import __version__

OPTIONAL = {'mambapy'}  # benchmarks/scan.py leaves it out where it is not installed
OURS = {'mmseg_remamber', 'selective_scan'}
NEIGHBOURS = (
    'tests/helpers',
    'selective_scan/tests',
    'benchmarks',
)  # whose files import each other


def imported(root: Path, *folders: str) -> set[str]:
    """Distributions that the Python files of some folders import."""
    modules = set()
    for path in (path for folder in folders for path in (root / folder).rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(node.module.split('.')[0])
    known = OURS | {path.stem for folder in NEIGHBOURS for path in (root / folder).iterdir()}
    installed = packages_distributions()
    return {
        normalised(installed.get(module, [module])[0])
        for module in modules - known - sys.stdlib_module_names
    }


def normalised(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


@pytest.fixture(scope='module')
def declared(metadata) -> dict[str, dict[str, SpecifierSet]]:
    """Ranges of the wheel, by distribution, of each extra and, under '', of no extra."""
    extras = {'': {}} | {extra: {} for extra in metadata.get_all('Provides-Extra')}
    for line in metadata.get_all('Requires-Dist'):
        requirement = Requirement(line)
        extra = re.search(r'extra == "(\w+)"', line)
        extras[extra[1] if extra else ''][normalised(requirement.name)] = requirement.specifier
    return extras


@pytest.fixture(scope='module')
def pinned(root) -> dict[str, set[str]]:
    """Versions by distribution, of all requirement files."""
    pins = {}
    for file in ('requirements.txt', 'demo/requirements.txt', *root.glob('requirements/*.txt')):
        for line in (root / file).read_text().splitlines():
            if line and line[0] != '#':
                name, version = line.split('#')[0].strip().split('==')
                pins.setdefault(normalised(name), set()).add(version)
    return pins


def test_the_package_declares_what_it_imports_and_no_more(root, declared):
    # the scan op is of this repository; the rest of the extras is for tools, page and development
    asked = set(declared['']) | set(declared['openmmlab']) | set(declared['plots'])
    assert asked == imported(root, 'mmseg_remamber') | {'selective-scan-op'}


def test_everything_imported_is_pinned(root, pinned):
    folders = ('mmseg_remamber', 'selective_scan', 'tools', 'benchmarks', 'tests', 'demo')
    assert imported(root, *folders) - OPTIONAL <= set(pinned)


def test_every_pin_is_one_version_in_the_declared_range(declared, pinned):
    for name, ranges in ((name, r) for extra in declared.values() for name, r in extra.items()):
        # the op is of this repository; torchvision has no CPU build beside the pinned torch
        if name not in ('selective-scan-op', 'torchvision'):
            assert all(version in ranges for version in pinned[name]), name
    assert {name: versions for name, versions in pinned.items() if len(versions) > 1} == {}


def test_the_check_of_openmmlabs_packages_asks_for_what_the_extra_installs(declared):
    asked = {name: SpecifierSet(f'>={oldest}') for name, oldest in openmmlab.FORKS.values()}
    assert declared['openmmlab'] == asked


def test_the_version_to_cite_is_the_version(root):
    assert yaml.safe_load((root / 'CITATION.cff').read_text())['version'] == __version__
