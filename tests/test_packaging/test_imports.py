# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Who imports whom: the contract in pyproject.toml, and what an import loads."""

import json
import os
import subprocess
import sys

import pytest
from importlinter.api import read_configuration
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


@pytest.fixture(scope='module')
def contracts(root):
    config = read_configuration(config_filename=str(root / 'pyproject.toml'))
    return {contract['id']: contract for contract in config['contracts_options']}


def test_the_contract_is_kept(root):
    config = str(root / 'pyproject.toml')
    assert lint_imports(config_filename=config, no_cache=True) == EXIT_STATUS_SUCCESS


def test_every_family_is_parted_from_the_others(root, contracts):
    families, *common = contracts['families']['layers']
    folders = {
        path.parent.name
        for path in (root / 'mmseg_remamber' / 'models').glob('*/weights.py')
        if 'register_family(' in path.read_text()
    }
    assert {name.strip() for name in families.split('|')} == folders
    assert not folders & {name.strip() for names in common for name in names.split(':')}


LOADED = """
import json, sys
import mmseg_remamber
import mmseg_remamber.openmmlab
cheap = sorted(sys.modules)
import mmseg_remamber.vmamba
print(json.dumps([cheap, sorted(sys.modules)]))
"""


def test_what_importing_vmamba_loads(contracts, tmp_path):
    """In a fresh interpreter, as this one has imported everything."""
    run = subprocess.run(
        [sys.executable, '-c', LOADED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    cheap, loaded = (set(modules) for modules in json.loads(run.stdout.splitlines()[-1]))
    assert not cheap & {'torch', 'numpy', 'mmengine'}

    assert 'mmengine' in loaded
    assert not loaded & {'mmseg', 'mmcv', 'gradio'}
    layers = contracts['rooms']['layers']
    above = layers[: layers.index('vmamba')]
    rooms = {name for layer in above for name in layer.split(' | ')}
    assert {'models', 'text', 'apis'} <= rooms
    assert not {f'mmseg_remamber.{room}' for room in rooms} & loaded


WITH_MMSEG = (
    'analysis', 'apis', 'datasets', 'engine', 'evaluation', 'models', 'register', 'text',
    'visualization',
)  # fmt: skip
REFUSED = """
import importlib, json, sys
said = {}
for room in sys.argv[1:]:
    try:
        importlib.import_module(f'mmseg_remamber.{room}')
    except ImportError as error:
        said[room] = str(error)
print(json.dumps([said, 'torch' in sys.modules]))
"""


def test_every_room_that_needs_mmseg_says_what_to_install(tmp_path):
    """With an mmseg too old, in a fresh interpreter, and before anything slow is imported."""
    info = tmp_path / 'onedl_mmsegmentation-1.3.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(
        'Metadata-Version: 2.1\nName: onedl-mmsegmentation\nVersion: 1.3.0\n'
    )
    run = subprocess.run(
        [sys.executable, '-c', REFUSED, *WITH_MMSEG],
        env=os.environ | {'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    said, with_torch = json.loads(run.stdout.splitlines()[-1])
    silent = {room for room in WITH_MMSEG if 'mmseg_remamber[openmmlab]' not in said.get(room, '')}
    assert silent == set()
    assert not with_torch
