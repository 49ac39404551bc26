# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Results by sentence, grouped: by length of sentence, size of object, and words."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

NUM_WORDS = ((1, 2), (3, 5), (6, 9), (10, None))
SHARES = ((0.0, 0.01), (0.01, 0.05), (0.05, 0.2), (0.2, 1.0))  # of the image's pixels
PLACES = dict(
    left=('left', 'leftmost'),
    right=('right', 'rightmost'),
    top=('top', 'topmost', 'upper', 'highest'),
    bottom=('bottom', 'lower', 'lowest'),
    middle=('middle', 'center', 'centre'),
)
COLOURS = (
    'black', 'blue', 'brown', 'cyan', 'gray', 'green', 'grey', 'orange', 'pink', 'purple', 'red',
    'white', 'yellow',
)  # fmt: skip


def read_records(path: str | Path) -> list[dict]:
    """The lines of a ``records_file`` of :class:`RefSegMetric`.

    Raises:
        ValueError: when a line is none of its records, or there is none.
    """
    records = []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), start=1):
        try:
            record = json.loads(line)
            record['iou'], record['text'], record['img_path']
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f'{path}, line {number} is no record of RefSegMetric') from error
        records.append(record)
    if not records:
        raise ValueError(f'{path} has no record')
    return records


def groups_of(text: str, share: float | None) -> list[tuple[str, str]]:
    """The groups, (kind, name), that a sentence belongs to.

    Args:
        text: the sentence.
        share: size of its object over the image's, in [0, 1]; None where it is not known.
    """
    words = re.findall(r'\w+', text.lower())
    groups = []
    for low, high in NUM_WORDS:
        if low <= len(words) and (high is None or len(words) <= high):
            groups.append(('words', f'{low} or more' if high is None else f'{low} to {high}'))
    if share is not None:
        low, high = next((s for s in SHARES if s[0] <= share < s[1]), SHARES[-1])
        groups.append(('object', f'{100 * low:g} to {100 * high:g} % of the image'))
    groups += [('place', place) for place, said in PLACES.items() if set(said) & set(words)]
    colours = [word for word in COLOURS if word in words]
    groups += [('colour', word) for word in colours]
    if not colours:
        groups.append(('colour', 'none named'))
    return groups


def summarise(records: Sequence[Mapping]) -> dict[str, float]:
    """Number of sentences, and mIoU, oIoU, Pr@0.5 in percent, of records with a target."""
    records = [record for record in records if not record.get('no_target', False)]
    if not records:
        return dict(sentences=0)
    union = sum(record['union'] for record in records)
    return {
        'sentences': len(records),
        'mIoU': 100 * sum(record['iou'] for record in records) / len(records),
        'oIoU': 100 * sum(record['intersection'] for record in records) / max(union, 1),
        'Pr@0.5': 100 * sum(record['iou'] > 0.5 for record in records) / len(records),
    }


def tabulate(
    records: Sequence[Mapping], groups: Sequence[Iterable[tuple[str, str]]]
) -> list[dict[str, float | str]]:
    """A row for all records and one for each group.

    Args:
        records: of :func:`read_records`.
        groups: those of each record, as :func:`groups_of` gives them.
    """
    members: dict[tuple[str, str], list[Mapping]] = {('all', 'all'): list(records)}
    for record, own in zip(records, groups, strict=True):
        for group in own:
            members.setdefault(group, []).append(record)
    kinds = ('all', 'words', 'object', 'place', 'colour')

    def order(group: tuple[str, str]) -> tuple:
        number = re.match(r'\d+', group[1])
        return kinds.index(group[0]), int(number[0]) if number else 0, group[1]

    return [
        dict(kind=group[0], group=group[1], **summarise(members[group]))
        for group in sorted(members, key=order)
    ]
