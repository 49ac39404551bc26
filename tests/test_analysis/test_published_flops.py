# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The figures of VMamba's tables, to their last digit."""

from pathlib import Path

import pytest
import torch
from vmamba_classifier import VMambaClassifier

from mmseg_remamber.analysis.published_flops import count_published_flops, published_pass
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta

CONFIGS = Path(__file__).parents[2] / 'configs' / 'vmamba' / 'segmentation'
CLASSIFICATION = {
    'tiny-vanilla': 5_626_895_040,
    'small-vanilla': 11_231_522_784,
    'base-vanilla': 18_020_115_136,
    'tiny-s2l5': 4_857_742_080,
    'small-s2l15': 8_715_774_720,
    'base-s2l15': 15_358_944_256,
    'tiny-s1l8': 4_905_609_984,
    'small-s1l20': 8_612_211_456,
    'base-s1l20': 15_220_859_904,
}
SEGMENTATION = {  # GFLOPs, with the digits that are printed
    'tiny-vanilla': '964',
    'small-vanilla': '1081',
    'base-vanilla': '1226',
    'tiny-s2l5': '947.78',
    'tiny-s1l8': '948.78',
    'small-s2l15': '1028.40',
    'base-s2l15': '1170.34',
}


@pytest.mark.parametrize('arch', CLASSIFICATION)
def test_classification_at_224(arch):
    with torch.device('meta'):
        model, img = VMambaClassifier(arch).eval(), torch.empty(1, 3, 224, 224)
    assert count_published_flops(model, model, img) == CLASSIFICATION[arch]


@pytest.mark.parametrize('arch', SEGMENTATION)
def test_upernet_at_512_by_2048(arch):
    """Backbone and decode head, without the last resize and the auxiliary head."""
    cfg = load_config(CONFIGS / f'upernet_vmamba-{arch}_8xb2-160k_ade20k-512x512.py')
    model = build_on_meta(cfg).eval()
    img = torch.empty(1, 3, 512, 2048, device='meta')
    found = count_published_flops(model, published_pass(model), img)
    want = SEGMENTATION[arch]
    assert f'{found / 1e9:.{len(want.partition(".")[2])}f}' == want


def test_the_sequential_scan_counts_less():
    """4.46 without head and pooling in the first release's table."""
    with torch.device('meta'):
        model, img = VMambaClassifier('tiny-vanilla').eval(), torch.empty(1, 3, 224, 224)
    trunk = model.backbone
    found = count_published_flops(trunk, lambda x: list(trunk.stage_maps(x)), img, scan='naive')
    assert round(found / 1e9, 2) == 4.46


def test_the_command(script, capsys):
    config = CONFIGS / 'upernet_vmamba-tiny-s1l8_8xb2-160k_ade20k-512x512.py'
    script(
        'tools/analysis_tools/get_flops.py', config, '--size', 512, 2048, '--published',
        'prefix-sum',
    )  # fmt: skip
    theirs, ours = capsys.readouterr().out.splitlines()
    assert theirs.startswith('948.78')
    # norms and resizes are theirs alone, and count less than a hundredth
    assert 1.98 * 948.78 < float(ours.split()[0]) < 2 * 948.78


def test_a_model_of_another_kind_is_named():
    with pytest.raises(ValueError, match='got a Linear'):
        published_pass(torch.nn.Linear(2, 2))


@pytest.mark.parametrize(
    ('training', 'scan', 'message'),
    [(True, 'naive', 'evaluation mode'), (False, 'fast', r"one of \['naive', 'prefix-sum'\], got")],
)
def test_wrong_arguments_are_named(training, scan, message):
    with torch.device('meta'):
        model = VMambaClassifier('tiny-s1l8').train(training)
    with pytest.raises(ValueError, match=message):
        count_published_flops(model, model, torch.empty(1, 3, 64, 64, device='meta'), scan=scan)
