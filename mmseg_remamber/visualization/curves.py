# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws curves of runs over iterations, and of costs over resolution."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from .style import line_styles, literal, new_figure, plain

Curve = list[tuple[float, float]]

UNITS = {
    'mIoU': 'mIoU, %',
    'oIoU': 'oIoU, %',
    'loss_mean': 'loss, mean of the epoch so far',
    'top1': 'top-1 accuracy, %',
    'top5': 'top-5 accuracy, %',
    'top1_ema': 'top-1 accuracy of averaged weights, %',
    'top5_ema': 'top-5 accuracy of averaged weights, %',
    'accuracy/top1': 'top-1 accuracy, %',
    'coco/bbox_mAP_50': 'box AP50',
    'coco/segm_mAP_50': 'mask AP50',
    'latency_ms': 'latency of a batch, ms',
    'throughput': 'images a second',
    'peak_memory_mb': 'peak memory beside weights, MB',
    'flops': 'operations of an image, GFLOP',
    'published_flops': 'GFLOPs of an image, a multiply-add once',
}


def read_scalars(work_dir: str | Path) -> dict[str, Curve]:
    """Read every number that mmengine logged of a run: name -> [(iteration, value), ...].

    A validation stands at the last training step before it in the log, since mmengine may number
    it by epoch. A run that was resumed has several logs: of a step that more than one has, the
    latest counts.

    Raises:
        FileNotFoundError: There is no scalars.json under ``work_dir``.
        ValueError: A line of one is no record; names file and line.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(f'no <time>/vis_data/scalars.json in {str(work_dir)!r}')
    values: dict[str, dict[float, float]] = {}
    for file in files:
        step = 0
        for number, line in enumerate(file.read_bytes().splitlines(), start=1):
            record = _read_record(line, f'{file}, line {number}')
            if 'iter' in record:
                step = record['step']
            for name, value in record.items():
                if name not in ('step', 'iter', 'epoch') and isinstance(value, (int, float)):
                    values.setdefault(name, {})[step] = value
    return {name: sorted(points.items()) for name, points in values.items()}


def _read_record(line: bytes, where: str) -> dict:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ValueError(f'{where} is no JSON: {error}') from error
    if not isinstance(record, dict):
        raise ValueError(f'{where} must be a JSON object, got {line[:80]!r}')
    if 'iter' in record and not isinstance(record.get('step'), (int, float)):
        raise ValueError(f'{where} has iter, and needs a number as step: {line[:80]!r}')
    return record


def draw_curves(
    runs: Mapping[str, Mapping[str, Curve]],
    keys: Sequence[str],
    path: str | Path,
    *,
    x: str = 'iteration',
) -> None:
    """Write a PNG with one panel for each key and one line for each run.

    Args:
        runs: The curves of each run by name, as :func:`read_scalars` gives them.
        keys: Which curves to draw; a run without one is missing in that panel.
        path: File to write.
        x: What is counted along the curves.

    Raises:
        ValueError: No run has one of the keys; names those that there are.
    """
    known = sorted({name for curves in runs.values() for name in curves})
    for key in keys:
        if key not in known:
            raise ValueError(f'no run has {key!r}; there are {known}')
    _draw(runs, keys, path, x, low=None)


def draw_costs(
    costs: Mapping[str, Mapping[str, Curve]],
    keys: Sequence[str],
    path: str | Path,
    *,
    title: str,
    log: bool = False,
    mark: float | None = None,
) -> None:
    """Draw costs as :func:`draw_curves` does runs, over the side of the input (ReMamber, Fig. 8).

    Args:
        costs: The curves of each model by name: (side in pixels, value).
        keys: Which curves to draw.
        path: File to write.
        title: Line above the panels.
        log: Whether both axes are logarithmic.
        mark: Side at which a vertical line stands.
    """
    low = None if log else 0
    _draw(costs, keys, path, 'side of the input, pixels', low=low, title=title, log=log, mark=mark)


def _draw(
    lines: Mapping[str, Mapping[str, Curve]],
    keys: Sequence[str],
    path: str | Path,
    x: str,
    *,
    low: float | None,
    title: str = '',
    log: bool = False,
    mark: float | None = None,
) -> None:
    figure = new_figure(5.2 * len(keys), 4.2 + 0.25 * len(lines))
    figure.suptitle(literal(title), fontsize=11)
    styles = line_styles(list(lines))
    legend = {}  # each name once, whichever panels it is in
    for axis, key in zip(
        figure.subplots(1, len(keys), squeeze=False, sharex=True)[0], keys, strict=True
    ):
        if log:
            _logarithmic(axis, {x for curves in lines.values() for x, _ in curves.get(key, ())})
        for name, curves in lines.items():
            if key in curves:
                points = curves[key]
                size = 5 if len(points) < 20 else 0
                (line,) = axis.plot(*zip(*points, strict=True), markersize=size, **styles[name])
                legend.setdefault(literal(name), line)
        plain(axis, x, UNITS.get(key, literal(key)))
        axis.set_ylim(bottom=low)
        if mark is not None:
            axis.axvline(mark, color='0.6', linestyle=':', zorder=0)
    # as they are given: of those of axes matplotlib leaves out what begins with an underscore
    figure.legend(legend.values(), legend.keys(), loc='outside lower center', frameon=False)
    figure.savefig(path)


def _logarithmic(axis: Axes, ticks: Iterable[float]) -> None:
    """Make both axes logarithmic, with plain numbers; the ticks of x are those given."""
    axis.set(xscale='log', yscale='log')
    axis.set_xticks(sorted(ticks), labels=[f'{tick:g}' for tick in sorted(ticks)])
    axis.set_xticks([], minor=True)
    axis.yaxis.set_major_formatter(LogFormatter())
    # numbers between the powers of ten only where these are few
    axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
