# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import tiny_model
import torch
from exporting import model_of
from PIL import Image


@pytest.mark.slow
def test_export_and_check(script, tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(70, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    torch.save(dict(state_dict=model_of(tiny_model.CONFIG).state_dict()), tmp_path / 'model.pth')
    options = [f'{key}={value}'.replace(' ', '') for key, value in tiny_model.SHALLOW.items()]
    names = script(
        'tools/export.py', tiny_model.CONFIG, tmp_path / 'model.pth', tmp_path / 'out',
        '--formats', 'pt2', '--check', tmp_path / 'a.png', '--cfg-options', *options,
    )  # fmt: skip
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {
        'check.json', 'model.pt2', 'tokenizer.json',
    }  # fmt: skip
    report = json.loads((tmp_path / 'out' / 'check.json').read_text())
    assert report['passed']
    assert [row['size'] for row in report['rows']] == [[70, 90], [96, 160], [61, 93]]

    # another model's logits are not taken for these
    check = names['check'](
        model_of(tiny_model.CONFIG, seed=1),
        tmp_path / 'out',
        ['pt2'],
        str(tmp_path / 'a.png'),
        ['cat'],
    )
    assert not check['passed']


def test_a_picture_that_is_not_there(script):
    with pytest.raises(SystemExit, match=r"--check: there is no file 'no\.jpg'"):
        script('tools/export.py', tiny_model.CONFIG, 'x.pth', 'out', '--check', 'no.jpg')
