# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The notebook, executed from its first cell to its last."""

import os

import pytest

nbclient = pytest.importorskip(
    'nbclient', reason='nbclient is not installed (demo/requirements.txt)'
)
nbformat = pytest.importorskip(
    'nbformat', reason='nbformat is not installed (demo/requirements.txt)'
)
pytest.importorskip('ipykernel', reason='ipykernel is not installed (demo/requirements.txt)')


@pytest.mark.slow
def test_every_cell_runs(root, tiny_checkpoint, monkeypatch):
    monkeypatch.setenv('CHECKPOINT', str(tiny_checkpoint))
    paths = [str(root), *filter(None, [os.environ.get('PYTHONPATH')])]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))
    notebook = nbformat.read(root / 'demo' / 'demo.ipynb', as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name='python3', resources=dict(metadata=dict(path=root))
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get('outputs', [])]
    pictures = [output for output in outputs if 'image/png' in output.get('data', {})]
    assert len(pictures) == 2
    text = ''.join(output.get('text', '') for output in outputs)
    assert str(tiny_checkpoint) in text
    assert 'results.json' in text and 'pred/' in text
