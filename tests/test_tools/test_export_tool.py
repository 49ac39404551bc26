# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import runpy
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg_remamber.apis import init_model

CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb16-2800i_refshapes-80x80.py'


@pytest.mark.slow
def test_export_and_check(root, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    pixels = np.random.default_rng(0).integers(256, size=(70, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    argv = ['export.py', CONFIG, str(trained / 'iter_3.pth'), str(tmp_path / 'out')]
    argv += ['--formats', 'pt2', '--check', str(tmp_path / 'a.png')]
    monkeypatch.setattr(sys, 'argv', argv)
    names = runpy.run_path('tools/export.py', run_name='__main__')
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {
        'check.json', 'model.pt2', 'tokenizer.json',
    }  # fmt: skip
    report = json.loads((tmp_path / 'out' / 'check.json').read_text())
    assert report['passed']
    assert [row['size'] for row in report['rows']] == [[70, 90], [96, 160], [61, 93]]

    # another model's logits are not taken for these
    torch.manual_seed(1)
    with pytest.warns(UserWarning, match='untrained'):
        other = init_model(CONFIG)
    check = names['check'](other, tmp_path / 'out', ['pt2'], str(tmp_path / 'a.png'), ['cat'])
    assert not check['passed']


def test_a_picture_that_is_not_there(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, 'argv', ['export.py', CONFIG, 'x.pth', 'out', '--check', 'no.jpg'])
    with pytest.raises(SystemExit, match=r"--check: there is no file 'no\.jpg'"):
        runpy.run_path('tools/export.py', run_name='__main__')
