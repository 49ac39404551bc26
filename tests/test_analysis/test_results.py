# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from mmseg_remamber.analysis.results import groups_of, read_records, summarise, tabulate
from mmseg_remamber.analysis.samples import spread


def record(iou, intersection=10, union=20, **changes):
    return dict(iou=iou, intersection=intersection, union=union, text='a', **changes)


@pytest.mark.parametrize(
    'text, share, want',
    [
        ('dog', 0.005, [('words', '1 to 2'), ('object', '0 to 1 % of the image')]),
        ('the leftover dog', 1.0, [('words', '3 to 5'), ('object', '20 to 100 % of the image')]),
        ('Leftmost, RED-ish', None, [('words', '3 to 5'), ('place', 'left'), ('colour', 'red')]),
        ('a ' * 10, None, [('words', '10 or more')]),
    ],
)  # fmt: skip
def test_groups(text, share, want):
    if not any(kind == 'colour' for kind, _ in want):
        want = [*want, ('colour', 'none named')]
    assert groups_of(text, share) == want


def test_figures_of_groups():
    records = [record(1.0), record(0.2, 0, 80), record(0.5, no_target=True)]
    want = {'sentences': 2, 'mIoU': 60.0, 'oIoU': 10.0, 'Pr@0.5': 50.0}
    assert summarise(records) == pytest.approx(want)
    assert summarise(records[2:]) == dict(sentences=0)
    groups = [[('colour', 'red')], [('colour', 'red'), ('words', '10 or more')], []]
    table = tabulate(records, groups)
    assert [row['group'] for row in table] == ['all', '10 or more', 'red']
    assert [row['sentences'] for row in table] == [2, 1, 2]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_text(json.dumps(dict(iou=1, text='a', img_path='b')) + '\n{"loss": 1}\n')
    with pytest.raises(ValueError, match='line 2 is no record of RefSegMetric'):
        read_records(path)
    path.write_text('')
    with pytest.raises(ValueError, match='has no record'):
        read_records(path)


def test_spread():
    assert spread(10, 4) == [0, 3, 6, 9]
    assert spread(3, 5) == [0, 1, 2]
