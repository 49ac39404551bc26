# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import re

import pytest
from PIL import Image

from mmseg_remamber.visualization import curves
from mmseg_remamber.visualization.curves import draw_costs, draw_curves, read_scalars
from mmseg_remamber.visualization.style import new_figure


def write(folder, time, *records):
    path = folder / time / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(record) + '\n' for record in records))


def test_validation_stands_where_training_was(tmp_path):
    write(
        tmp_path, '1',
        dict(loss=2.0, iter=5, step=5), dict(mIoU=10.0, step=1, protocol='bilinear'),
        dict(loss=1.0, iter=10, step=10), dict(mIoU=20.0, step=2),
    )  # fmt: skip
    assert read_scalars(tmp_path) == dict(loss=[(5, 2.0), (10, 1.0)], mIoU=[(5, 10.0), (10, 20.0)])


def test_the_latest_log_of_a_resumed_run_counts(tmp_path):
    write(tmp_path, '1', dict(loss=2.0, iter=5, step=5), dict(loss=9.0, iter=10, step=10))
    write(tmp_path, '2', dict(loss=1.0, iter=10, step=10), dict(loss=0.5, iter=15, step=15))
    assert read_scalars(tmp_path)['loss'] == [(5, 2.0), (10, 1.0), (15, 0.5)]


def test_a_folder_without_logs(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no <time>/vis_data/scalars\.json in'):
        read_scalars(tmp_path)


def test_pictures(tmp_path):
    runs = dict(a=dict(loss=[(1, 2.0), (2, 1.0)], mIoU=[(2, 30.0)]), b=dict(loss=[(1, 3.0)]))
    draw_curves(runs, ['loss', 'mIoU'], tmp_path / 'a.png')
    draw_costs(runs, ['loss'], tmp_path / 'b.png', title='CPU')
    with Image.open(tmp_path / 'a.png') as two, Image.open(tmp_path / 'b.png') as one:
        assert two.width == 2 * one.width
        assert len(two.convert('RGB').getcolors(1 << 20)) > 50
    with pytest.raises(ValueError, match=r"no run has 'oIoU'; there are \['loss', 'mIoU'\]"):
        draw_curves(runs, ['oIoU'], tmp_path / 'c.png')


def test_a_power_of_the_side_is_straight_on_logarithmic_axes(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        curves, 'new_figure', lambda *size: figures.append(new_figure(*size)) or figures[-1]
    )
    points = [(side, 1e-3 * side**2) for side in (64, 256, 1024)]
    draw_costs(dict(a=dict(flops=points)), ['flops'], tmp_path / 'a.png', title='', log=True)
    (axis,) = figures[0].axes
    x, y = axis.transData.transform(axis.lines[0].get_xydata()).T
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx((y[2] - y[1]) / (x[2] - x[1]))
    assert [label.get_text() for label in axis.get_xticklabels()] == ['64', '256', '1024']
    low, high = axis.get_ylim()
    assert 1 < low < points[0][1] < points[2][1] < high < 10_000


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        (b'[1, 2]', 'must be a JSON object, got'),
        (b'null', 'must be a JSON object, got'),
        (b'3', 'must be a JSON object, got'),
        (b'"loss"', 'must be a JSON object, got'),
        (b'', 'is no JSON'),
        (b'{"iter": 1, "ste', 'is no JSON'),
        (b'\xff\xfe\x00', 'is no JSON'),
        (b'{"iter": 3, "loss": 1}', 'has iter, and needs a number as step'),
        (b'{"iter": 3, "step": "a"}', 'has iter, and needs a number as step'),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path, line, message):
    write(tmp_path, '1', dict(loss=2.0, iter=5, step=5))
    (file,) = tmp_path.glob('*/*/scalars.json')
    file.write_bytes(file.read_bytes() + line + b'\n')
    with pytest.raises(ValueError, match=re.escape(f'{file}, line 2 {message}')):
        read_scalars(tmp_path)


def test_names_are_drawn_as_they_are_written(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        curves, 'new_figure', lambda *size: figures.append(new_figure(*size)) or figures[-1]
    )
    names = ['_run', 'a $5 b $x', '$x_1$', r'a\frac{', 'été, [a]']
    runs = {name: {'loss_$x$': [(1, 2.0), (2, 1.0)]} for name in names}
    draw_costs(runs, ['loss_$x$'], tmp_path / 'a.png', title='$\\wrong{$')
    figure = figures[0]
    texts = figure.legends[0].get_texts()
    shown = [text._preprocess_math(text.get_text())[0] for text in texts]
    assert shown == names
    assert all(not text._preprocess_math(text.get_text())[1] for text in texts)
    assert figure.axes[0].yaxis.label._preprocess_math(figure.axes[0].get_ylabel()) == (
        'loss_$x$',
        False,
    )
