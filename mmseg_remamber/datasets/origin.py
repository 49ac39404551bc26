# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a dataset is, as a model that was trained on it carries it along.

A dataset has it as ``metainfo['origin']``, which mmengine's runner writes into each checkpoint as
``meta['dataset_meta']['origin']``: a dict of the fields of :class:`Origin`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from numbers import Real

import numpy as np

from .picture_measures import MEASURES

#: What stands in the place of an origin where there is none.
NOT_RECORDED = 'not recorded in the checkpoint'


@dataclass(frozen=True)
class Origin:
    """Name, pictures and sentences of a dataset.

    Attributes:
        name: of the dataset, with whose split it is.
        pictures: what they are, in words; empty where nobody said so.
        sentences: what they are, likewise.
        limits: (least, most) of some of :data:`.MEASURES` by their names. A picture outside of any
            cannot be of this dataset's kind; one inside of all may be of another kind still.

    Raises:
        ValueError: for a field or a measure that there is not, a text that is none, or limits that
            are no two numbers in order; names it.
    """

    name: str
    pictures: str = ''
    sentences: str = ''
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self):
        for key in ('name', 'pictures', 'sentences'):
            if not isinstance(getattr(self, key), str):
                raise ValueError(f'origin: {key} must be a text, got {getattr(self, key)!r}')
        if not isinstance(self.limits, Mapping):
            raise ValueError(f'origin: limits must be a dict of measures, got {self.limits!r}')
        for measure, pair in self.limits.items():
            if measure not in MEASURES:
                raise ValueError(f'origin: limits are of {sorted(MEASURES)}, got {measure!r}')
            if not _is_range(pair):
                raise ValueError(
                    f'origin: the limits of {measure} must be [least, most], got {pair!r}'
                )

    def __str__(self) -> str:
        """In a line, such as 'RefCOCO (unc): photographs; short English phrases'."""
        kinds = '; '.join(filter(None, (self.pictures, self.sentences)))
        return f'{self.name}: {kinds}' if kinds else f'{self.name}, whose kind is not recorded'

    def to_dict(self) -> dict:
        """The fields, as a checkpoint and JSON have them."""
        limits = {measure: list(map(float, pair)) for measure, pair in self.limits.items()}
        return asdict(self) | dict(limits=limits)

    def is_of_kind(self, image: np.ndarray) -> bool:
        """Whether a picture can be of this dataset's kind, as far as the limits tell.

        Args:
            image: (H, W, 3) uint8 BGR.
        """
        return all(
            least <= MEASURES[measure](image) <= most
            for measure, (least, most) in self.limits.items()
        )


def read_origin(meta: Mapping | None) -> Origin | None:
    """The origin in a dataset's metainfo; None where nothing is recorded.

    Raises:
        ValueError: as :class:`Origin`.
    """
    recorded = (meta or {}).get('origin')
    return None if recorded is None else origin_of(recorded)


def origin_of(recorded: Mapping) -> Origin:
    """An origin from a dict of its fields.

    Raises:
        ValueError: as :class:`Origin`.
    """
    names = [item.name for item in fields(Origin)]
    if not isinstance(recorded, Mapping) or set(recorded) - set(names) or 'name' not in recorded:
        raise ValueError(f'origin must be a dict of {names}, got {recorded!r}')
    return Origin(**recorded)


def join_origins(origins: Sequence[Origin]) -> Origin:
    """The origin of several datasets as one: what is said of any of them, and limits that keep in
    every picture which those of its own dataset keep in."""
    shared = [m for m in MEASURES if all(m in origin.limits for origin in origins)]
    return Origin(
        name=', '.join(dict.fromkeys(origin.name for origin in origins)),
        pictures=_joined(origin.pictures for origin in origins),
        sentences=_joined(origin.sentences for origin in origins),
        limits={
            measure: [
                min(origin.limits[measure][0] for origin in origins),
                max(origin.limits[measure][1] for origin in origins),
            ]
            for measure in shared
        },
    )


def _joined(texts) -> str:
    return ', '.join(dict.fromkeys(filter(None, texts)))


def _is_range(pair: object) -> bool:
    return (
        isinstance(pair, Sequence)
        and len(pair) == 2
        and all(isinstance(end, Real) for end in pair)
        and pair[0] <= pair[1]
    )
