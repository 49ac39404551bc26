# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands that take any model, on small ones of LAVT and LGFormer; ReMamber's are elsewhere."""

import json
import re

import numpy as np
import pytest
import small_families
import torch
from PIL import Image

from mmseg_remamber.apis import RefSegInferencer


@pytest.fixture(scope='module', params=['lavt', 'lgformer'])
def checkpoint(request, shapes, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'model.pth'
    return small_families.write_checkpoint(request.param, path, shapes)


@pytest.fixture(scope='module')
def config(checkpoint):
    """The checkpoint's config as a file."""
    path = checkpoint.with_suffix('.py')
    path.write_text(torch.load(checkpoint, weights_only=True)['meta']['cfg'])
    return path


@pytest.fixture
def picture(shapes):
    return min((shapes / 'images').iterdir())


def test_interactions(script, config, checkpoint, picture, tmp_path):
    """What PWAM and VLBA attend to: a share of each word at each place."""
    out = tmp_path / 'maps.png'
    script(
        'tools/analysis_tools/model_maps.py', 'interactions', config, checkpoint, picture,
        'the red cat', '--out', out, '--size', 64, 96,
    )  # fmt: skip
    report = json.loads(out.with_suffix('.json').read_text())
    assert report['words'] == ['<start>', 'the', 'red', 'cat', '<end>']
    shapes = [np.shape(stage['maps']) for stage in report['stages']]
    assert shapes == [(5, 16, 24), (5, 8, 12), (5, 4, 6), (5, 2, 3)]
    for stage in report['stages']:
        np.testing.assert_allclose(np.sum(stage['maps'], axis=0), 1, atol=1e-4)
    assert np.asarray(Image.open(out)).std() > 5


def test_receptive_field(script, config, checkpoint, picture, tmp_path):
    out = tmp_path / 'field.png'
    script(
        'tools/analysis_tools/model_maps.py', 'receptive-field', config, checkpoint, picture,
        'a cat', '--out', out, '--size', 64, 96,
    )  # fmt: skip
    assert len(json.loads(out.with_suffix('.json').read_text())['stages']) == 4


@pytest.mark.parametrize(
    ('kind', 'said'),
    [('routes', 'its image trunk has no SS2D'), ('components', 'no module of its backbone has')],
)
def test_maps_of_scans_that_are_not_there(
    script, config, checkpoint, picture, tmp_path, kind, said
):
    with pytest.raises(SystemExit, match=f'error: the model has no .*{said}'):
        script(
            'tools/analysis_tools/model_maps.py', kind, config, checkpoint, picture, 'a cat',
            '--out', tmp_path / 'maps.png',
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_costs(script, config, tmp_path, capsys):
    """Operations, parameters and times, part by part."""
    script('tools/analysis_tools/get_flops.py', config, '--size', 64, 96, '--out', tmp_path / 'f')
    table = {
        name: (int(parameters.replace(',', '')), float(gflop))
        for name, parameters, gflop in re.findall(
            r'^(\S+) +([\d,]+) +([\d.]+) +[\d.]+$', capsys.readouterr().out, re.MULTILINE
        )
    }
    parts = ['text_encoder', 'backbone', 'decode_head']
    total, gflop = table['all']
    assert sum(table[part][0] for part in parts) == total
    assert sum(table[part][1] for part in parts) == pytest.approx(gflop, rel=0.05)
    script('tools/analysis_tools/count_parameters.py', config)
    assert f'| {total:,} |' in capsys.readouterr().out
    script(
        'tools/analysis_tools/benchmark.py', config, '--sizes', 64, '--repeats', 2, '--warmup', 1,
        '--out', tmp_path / 'cost.json',
    )  # fmt: skip
    (row,) = json.loads((tmp_path / 'cost.json').read_text())['results']
    assert row['latency_ms'] > 0 and row['size'] == [64, 64]


def test_pictures_and_sentences(checkpoint, picture):
    """Several sentences on one picture, in one call, are what each is alone."""
    inferencer = RefSegInferencer(weights=checkpoint, device='cpu', show_progress=False)
    sentences = ['the red circle', 'a blue square on the left', 'circle']
    (together,) = inferencer(str(picture), sentences)['predictions']
    for sentence, found in zip(sentences, together, strict=True):
        ((alone,),) = inferencer(str(picture), sentence)['predictions']
        assert found.score == pytest.approx(alone.score, abs=1e-5)
        assert (np.asarray(found.mask) == np.asarray(alone.mask)).mean() > 0.999


def test_gallery_and_scores(script, config, checkpoint, tmp_path):
    script('tools/test.py', config, checkpoint, f'--work-dir={tmp_path}')
    script('tools/analysis_tools/gallery.py', config, checkpoint, tmp_path / 'g.png', '--num', 2)
    assert np.asarray(Image.open(tmp_path / 'g.png')).std() > 5
