# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads curves from text logs: those of mmengine, and those of Swin's and VMamba's classifiers."""

import re
from pathlib import Path
from typing import NamedTuple

from .curves import Curve

_NUMBER = r'-?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)'
# mmengine: "Epoch(train) [3][ 50/250]  lr: 1e-4 ...", "Iter(val) [200/200]    mIoU: 47.1"
_MMENGINE = re.compile(
    r'(?:Epoch|Iter)\((?P<phase>train|val)\) +(?:\[ *(?P<epoch>\d+)\])?'
    r'\[ *(?P<step>\d+)/ *(?P<steps>\d+)\](?P<values>.*)'
)
_VALUE = re.compile(rf'(?P<name>[\w./@-]+): (?P<value>{_NUMBER})(?=\s|$)')
# Swin and VMamba: "Train: [0/300][10/1251]  eta ... loss 6.93 (6.94)", " * Acc@1 0.1 Acc@5 0.5"
_TRAIN = re.compile(
    rf'Train: \[ *(?P<epoch>\d+)/\d+\]\[ *(?P<step>\d+)/ *(?P<steps>\d+)\]'
    rf'.*?\tloss (?P<now>{_NUMBER}) \((?P<mean>{_NUMBER})\)'
)
_ACCURACY = re.compile(rf'\* Acc@1 (?P<top1>{_NUMBER}) Acc@5 (?P<top5>{_NUMBER})')
_NOT_CURVES = {'eta', 'time', 'data_time', 'memory'}


class TextLog(NamedTuple):
    """Curves of a text log, by name, and what is counted along their x: epochs or iterations."""

    curves: dict[str, Curve]
    unit: str


def read_text_log(path: str | Path) -> TextLog:
    """Read a text log.

    Of mmengine every number that is logged, under its own name; x counts epochs, with parts, where
    the run does, else iterations. Of Swin's and VMamba's classifiers ``loss`` and ``loss_mean`` (of
    the epoch so far), and ``top1`` and ``top5`` after each epoch; where each epoch tests twice, the
    second time with averaged weights, those are ``top1_ema`` and ``top5_ema``. A step that is
    logged twice, since a run was resumed, counts as it was logged last.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No line is of either form.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no log {str(path)!r}')
    values: dict[str, dict[float, float]] = {}
    unit, now, done, tested = 'iteration', 0.0, 0, 0

    def put(name: str, value: str) -> None:
        values.setdefault(name, {})[now] = float(value)

    for line in path.read_text(encoding='utf-8', errors='replace').splitlines():
        if match := _MMENGINE.search(line):
            step = int(match['step'])
            if match['epoch']:
                unit = 'epoch'
                whole = match['phase'] == 'val'
                now = int(match['epoch']) - 1 + (1 if whole else step / int(match['steps']))
            elif match['phase'] == 'train':
                now = float(step)
            for value in _VALUE.finditer(match['values']):
                if value['name'] not in _NOT_CURVES:
                    put(value['name'], value['value'])
        elif match := _TRAIN.search(line):
            unit, tested = 'epoch', 0
            done = int(match['epoch']) + 1
            now = int(match['epoch']) + int(match['step']) / int(match['steps'])
            put('loss', match['now'])
            put('loss_mean', match['mean'])
        elif match := _ACCURACY.search(line):
            suffix = '_ema' * (tested == 1)
            tested += 1
            now = float(done)
            put(f'top1{suffix}', match['top1'])
            put(f'top5{suffix}', match['top5'])
    if not values:
        raise ValueError(f'{str(path)!r} has no line of a training, neither of mmengine nor Swin')
    return TextLog({name: sorted(points.items()) for name, points in values.items()}, unit)
