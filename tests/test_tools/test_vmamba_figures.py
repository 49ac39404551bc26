# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba's own figures and small runs, of a segmentor; tests/downstream has the other toolboxes."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model

CONFIG = 'configs/vmamba/segmentation/upernet_vmamba-mini_1xb16-1000i_shapes-128x128.py'


@pytest.fixture
def checkpoint(root, tmp_path):
    torch.manual_seed(0)
    model = build_model(load_config(root / CONFIG))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    return tmp_path / 'model.pth'


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / 'pictures'
    (folder / 'deep').mkdir(parents=True)
    for i, name in enumerate(('one.png', 'deep/two.jpg')):
        pixels = np.random.default_rng(i).integers(256, size=(40, 70, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


def tool(script, name, *arguments):
    return script(f'tools/analysis_tools/{name}.py', *arguments)


def test_receptive_field(script, checkpoint, pictures, tmp_path):
    """Before and after training, and beside a model of another family without a checkpoint."""
    out = tmp_path / 'field.png'
    other = 'configs/lavt/lavt_swin-mini_1xb48-1200i_refshapes-80x80.py'
    tool(
        script, 'receptive_field', '--model', CONFIG, checkpoint, '--model', other,
        '--names', 'one', 'two', '--images', pictures, '--size', 64, '--out', out,
        '--device', 'cpu',
    )  # fmt: skip
    assert out.stat().st_size > 10_000
    report = json.loads(out.with_suffix('.json').read_text())
    assert [(f['model'], f['weights'], f['pictures']) for f in report['fields']] == [
        ('one', 'random weights', 2), ('one', 'trained', 2), ('two', 'random weights', 2),
    ]  # fmt: skip
    for field in report['fields']:
        sides = [side for side in field['side'].values() if side]
        assert sides == sorted(sides)
        for share, side in field['side'].items():
            assert (field['area'][share] or 0) * 64**2 == pytest.approx((side or 0) ** 2)


def test_random_weights_are_not_those_that_a_config_begins_with(script, pictures, tmp_path):
    """The published settings name a file on the net, which is not fetched."""
    tool(
        script, 'receptive_field', '--model',
        'configs/vmamba/segmentation/upernet_vmamba-tiny-s1l8_8xb2-160k_ade20k-512x512.py',
        '--images', pictures, '--num', 1, '--size', 32, '--out', tmp_path / 'field.png',
    )  # fmt: skip


@pytest.mark.parametrize('flags', [(), ('--matrix',)])
def test_scan_maps(script, checkpoint, pictures, tmp_path, flags):
    out = tmp_path / 'scan.png'
    options = (
        '--size',
        64,
        '--stage',
        2,
        '--block',
        1,
        '--out',
        out,
        '--mean',
        127.5,
        127.5,
        127.5,
    )
    tool(script, 'scan_maps', CONFIG, checkpoint, pictures / 'one.png', *options, *flags)
    assert out.stat().st_size > 10_000
    with np.load(out.with_suffix('.npz')) as numbers:
        assert len(numbers) == 4 * 6
        shape = (64, 64) if flags else (8, 8)
        assert {numbers[key].shape for key in numbers} == {shape}


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (('--stage', 9), 'has no scan there'),
        (('--query', 1, 0), r'must be in \[0, 1\)'),
    ],
)
def test_scan_maps_refuses(script, checkpoint, pictures, tmp_path, flags, message):
    with pytest.raises(SystemExit, match=message):
        tool(
            script, 'scan_maps', CONFIG, checkpoint, pictures / 'one.png', '--size', 32, '--out',
            tmp_path / 'scan.png', *flags,
        )  # fmt: skip


def test_curves_of_a_text_log(script, tmp_path, capsys):
    log = tmp_path / 'vssm.txt'
    lines = []
    for epoch in range(3):
        lines.append(f'INFO Train: [{epoch}/300][0/10]\teta 1 lr 0.1\tloss 6.{9 - epoch} (6.5)\t')
        lines += [f'INFO  * Acc@1 {10 * epoch + 5}.0 Acc@5 50.0', 'INFO  * Acc@1 1.0 Acc@5 2.0']
    log.write_text('\n'.join(lines))
    out = tmp_path / 'curves.png'
    tool(
        script,
        'plot_curves',
        log,
        '--keys',
        'loss',
        'top1',
        'top1_ema',
        '--fit',
        1,
        3,
        '--out',
        out,
    )
    said = capsys.readouterr().out
    assert 'vssm: best top1 25 at epoch 3' in said
    assert 'vssm: top1 rises by 10 for each epoch' in said
    with out.with_suffix('.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [(row['epoch'], row['value']) for row in rows if row['key'] == 'top1'] == [
        ('1.0', '5.0'), ('2.0', '15.0'), ('3.0', '25.0'),
    ]  # fmt: skip
    with pytest.raises(SystemExit, match='needs two points'):
        tool(script, 'plot_curves', log, '--keys', 'top1', '--fit', 7, 9, '--out', out)


def test_runs_over_epochs_and_over_iterations_do_not_share_a_figure(script, tmp_path):
    (tmp_path / 'one.log').write_text('Epoch(train) [1][1/2]  loss: 0.5')
    (tmp_path / 'two.log').write_text('Iter(train) [1/2]  loss: 0.5')
    with pytest.raises(SystemExit, match=r"got \['epoch', 'iteration'\]"):
        tool(script, 'plot_curves', tmp_path / 'one.log', tmp_path / 'two.log', '--keys', 'loss')


@pytest.mark.slow
def test_small_run_on_photographs(script, scenes, tmp_path, capfd):
    """Classes are those of the data: here fewer than the config's."""
    out = tmp_path / 'run'
    script(
        'tools/small_run.py', 'segmentation', '--out', out, '--length', 1, '--refer', scenes,
        'refshapes', 'synthetic', 'images',
    )  # fmt: skip
    classes = (out / 'data' / 'classes.txt').read_text().splitlines()
    assert len(classes) < 6
    (config,) = out.glob('*.py')
    cfg = load_config(config)
    assert cfg.model.decode_head.num_classes == 1 + len(classes)
    assert list(cfg.train_dataloader.dataset.metainfo.classes) == ['background', *classes]
    metrics = json.loads((out / 'metrics.json').read_text())
    assert {'train', 'val'} <= set(metrics)
    for name in ('gallery.png', 'curves.png'):
        assert (out / name).stat().st_size > 10_000
    said = capfd.readouterr().out
    assert '== [4/4]' in said and 'mIoU' in said.rpartition('== Done')[2]


def test_a_small_run_ends_where_a_step_fails(script, tmp_path, capfd):
    with pytest.raises(SystemExit) as stopped:
        script(
            'tools/small_run.py', 'segmentation', '--out', tmp_path / 'run', '--refer', tmp_path,
            'none', 'unc', 'images',
        )  # fmt: skip
    assert stopped.value.code == 1
    assert 'error: no dataset folder' in capfd.readouterr().err
    assert not (tmp_path / 'run' / 'data').exists()
