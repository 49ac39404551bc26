# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/figures.md, each run on a model of three iterations."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_model import CONFIG


@pytest.fixture
def command(script):
    return lambda tool, *arguments: script(f'tools/analysis_tools/{tool}.py', *arguments)


@pytest.fixture
def checkpoint(trained):
    return trained / 'iter_3.pth'


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / 'photo.jpg'
    pixels = np.random.default_rng(0).integers(256, size=(48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def is_drawn(path):
    with Image.open(path) as picture:
        return np.asarray(picture).std() > 5


@pytest.mark.parametrize('kind', ['interactions', 'components', 'receptive-field', 'routes'])
def test_model_maps(command, checkpoint, picture, tmp_path, kind):
    out = tmp_path / 'maps.png'
    command(
        'model_maps', kind, CONFIG, checkpoint, picture, 'a $5 cat', '--out', out, '--size', 64, 96
    )
    assert is_drawn(out)
    report = json.loads(out.with_suffix('.json').read_text())
    assert report['kind'] == kind
    stages = report['components' if kind == 'components' else 'stages']
    shape = {
        'interactions': lambda s: np.shape(s['maps']),
        'components': lambda s: np.shape(s['scores']),
        'receptive-field': lambda s: np.shape(s['field']),
        'routes': lambda s: np.shape(s['strength']),
    }[kind]
    assert (
        shape(stages[0])
        == {
            'interactions': (len(report.get('words', ())), 16, 24),
            'components': (16, 24, 3),
            'receptive-field': (64, 96),
            'routes': (4, 16, 24),
        }[kind]
    )


@pytest.mark.parametrize('content', [b'', b'no picture', bytes(500), 'half'])
def test_a_damaged_picture_is_named(command, checkpoint, picture, tmp_path, content):
    if content == 'half':
        content = picture.read_bytes()[: picture.stat().st_size // 2]
    picture.write_bytes(content)
    out = tmp_path / 'maps.png'
    with pytest.raises(SystemExit, match=r'error: .*photo\.jpg'):
        command('model_maps', 'components', CONFIG, checkpoint, picture, 'a cat', '--out', out)
    assert not out.exists()


@pytest.mark.parametrize('tool', ['gallery', 'compare_models'])
def test_a_damaged_picture_of_a_test_set_is_named(command, checkpoint, shapes, tmp_path, tool):
    data = tmp_path / 'data'
    shutil.copytree(shapes, data)
    for path in (data / 'images').iterdir():
        path.write_bytes(path.read_bytes()[:200])
    out = tmp_path / 'out.png'
    options = ('--num', 2, '--cfg-options', f'test_dataloader.dataset.data_root={data}')
    arguments = {
        'gallery': (CONFIG, checkpoint, out),
        'compare_models': (*('--model', CONFIG, checkpoint, 'one'), '--out', out),
    }[tool]
    # within quotation marks, as a string literal has it
    named = re.escape(repr(f'{data}/images/')[1:-1])
    with pytest.raises(SystemExit, match=f'error: .*{named}'):
        command(tool, *arguments, *options)
    assert not out.exists()


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        ('', 'Expecting value'),
        ('[]', "it has no list 'results'"),
        ('{"results": {}}', "it has no list 'results'"),
        ('{"results": []}', r"machine lacks \['device', 'threads', 'torch'\]"),
        (
            '{"machine": {"device": 1, "threads": 1, "torch": 1}, "results": [{"mode": 1}]}',
            r"result 0 lacks \['batch', 'dtype', 'config', 'size', 'latency_ms', ",
        ),
    ],
)
def test_a_report_that_is_none_is_named(command, tmp_path, content, said):
    path = tmp_path / 'cost.json'
    path.write_text(content)
    with pytest.raises(SystemExit, match=rf'error: .*cost\.json is no report of .*: {said}'):
        command('plot_cost', path, '--out', tmp_path / 'cost.png')


@pytest.mark.parametrize(
    ('tool', 'arguments'),
    [
        ('count_parameters', ['nowhere.py']),
        ('get_flops', ['nowhere.py']),
        ('benchmark', ['nowhere.py', '--sizes', 32]),
        ('profile_modules', ['nowhere.py']),
        ('plot_curves', ['nowhere']),
        ('plot_cost', ['nowhere.json']),
        ('browse_dataset', ['nowhere.py']),
        ('gallery', ['nowhere.py', 'nowhere.pth', 'out.png']),
        ('browse_results', ['nowhere.py', 'nowhere.pth', 'nowhere.jsonl', 'out']),
        ('model_maps', ['components', CONFIG, 'nowhere.pth', 'nowhere.jpg', 'a', '--out', 'o.png']),
    ],
)
def test_what_is_not_there_is_named(command, tool, arguments):
    with pytest.raises(SystemExit, match=r'error: .*nowhere'):
        command(tool, *arguments)


def test_compare_models(command, checkpoint, shapes, tmp_path):
    out = tmp_path / 'comparison.png'
    models = [('--model', CONFIG, checkpoint, name) for name in ('one', 'two')]
    options = ('--cfg-options', f'test_dataloader.dataset.data_root={shapes}')
    command('compare_models', *models[0], *models[1], '--num', 2, '--out', out, *options)
    assert is_drawn(out)
    rows = json.loads(out.with_suffix('.json').read_text())
    assert len(rows) == 2
    assert all(row['iou']['one'] == row['iou']['two'] for row in rows)
    with pytest.raises(SystemExit, match='each needs a name of its own'):
        command('compare_models', *models[0], *models[0], '--out', out, *options)


def test_plot_curves(command, trained, tmp_path):
    out = tmp_path / 'curves.png'
    command('plot_curves', trained, '--keys', 'loss', 'loss_dice', '--out', out)
    assert is_drawn(out)
    with out.with_suffix('.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['iteration'] for row in rows if row['key'] == 'loss'] == ['1', '2', '3']


@pytest.mark.parametrize('mode', ['inference', 'training'])
def test_profile_modules(command, tmp_path, capsys, mode):
    out = tmp_path / 'profile.json'
    command(
        'profile_modules', CONFIG, '--size', 32, 64, '--mode', mode, '--device', 'cpu',
        '--rounds', 1, '--out', out,
    )  # fmt: skip
    report = json.loads(out.read_text())
    summary, *tables = capsys.readouterr().out.strip().split('\n\n')
    assert f'32 x 64 px, batch 1, {mode}, float32' in summary
    for name, table in zip(('part', 'kind'), tables, strict=True):
        head, _, *rows = (
            [cell.strip() for cell in row[2:-2].split('|')] for row in table.split('\n')
        )
        assert head[0] == name and ('backward ms' in head) == (mode == 'training')
        assert [row[0] for row in rows] == [row[name] for row in report[f'{name}s']] + ['all']
        assert {len(row) for row in rows} == {len(head)}
        assert sum(float(row[2].rstrip('%')) for row in rows[:-1]) == pytest.approx(100, abs=3)
    seconds = {
        key: sum(sum(row['seconds'].values()) for row in report[key])
        for key in ('parts', 'kinds', 'modules')
    }
    assert seconds['kinds'] == pytest.approx(seconds['parts'])
    assert seconds['modules'] == pytest.approx(seconds['parts'])
    assert report['seconds'] > 0 and report['flops_per_second'] > report['bytes_per_second'] > 0


def test_flops_and_cost(command, tmp_path, capsys):
    flops, cost = tmp_path / 'flops.json', tmp_path / 'cost.json'
    command('get_flops', CONFIG, '--size', 64, 64, '--out', flops)
    modules = {row['module']: row for row in json.loads(flops.read_text())['modules']}
    assert modules['']['parameters'] == sum(
        modules[name]['parameters'] for name in ('text_encoder', 'backbone', 'decode_head')
    )
    assert 0 < modules['backbone']['scan_flops'] < modules['backbone']['flops']
    command(
        'benchmark', CONFIG, '--sizes', 32, 64, '--repeats', 2, '--warmup', 1, '--device', 'cpu',
        '--out', cost,
    )  # fmt: skip
    report = json.loads(cost.read_text())
    assert [result['size'] for result in report['results']] == [[32, 32], [64, 64]]
    assert report['results'][1]['flops'] == modules['']['flops']
    command('plot_cost', cost, '--out', tmp_path / 'cost.png')
    assert is_drawn(tmp_path / 'cost.png')
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(report | dict(machine=dict(device='x', threads=1, torch='2'))))
    with pytest.raises(SystemExit, match='results of one machine and setting can be compared'):
        command('plot_cost', cost, other, '--out', tmp_path / 'cost.png')
