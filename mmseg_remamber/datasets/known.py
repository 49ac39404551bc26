# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What is known of published datasets, by the name of their annotation folder."""

from collections.abc import Mapping

from .origin import Origin, origin_of
from .refshapes.origin import REFSHAPES

_COCO = 'photographs of COCO train2014'
_GAME = 'short English phrases from a game of two'
KNOWN: dict[str, dict] = {
    'refcoco': dict(name='RefCOCO', pictures=_COCO, sentences=_GAME),
    'refcoco+': dict(
        name='RefCOCO+', pictures=_COCO, sentences=f'{_GAME} that forbade words of place'
    ),
    'refcocog': dict(
        name='RefCOCOg', pictures=_COCO, sentences='English sentences that describe an object'
    ),
    'grefcoco': dict(
        name='gRefCOCO',
        pictures=_COCO,
        sentences='English phrases that mean an object, several or none',
    ),
    'refclef': dict(name='RefCLEF', pictures='photographs of IAPR TC-12', sentences=_GAME),
    'refshapes': REFSHAPES,
}


def find_origin(dataset: str, split_by: str, stated: Mapping | None = None) -> Origin:
    """The origin of a dataset in the REFER layout.

    Args:
        dataset: name of its annotation folder; of an unknown one nothing is assumed.
        split_by: whose split.
        stated: fields that take the place of what is known.

    Raises:
        ValueError: as :class:`Origin`.
    """
    known = KNOWN.get(dataset, dict(name=dataset))
    named = known | dict(name=f'{known["name"]} ({split_by})')
    if stated is not None and not isinstance(stated, Mapping):
        raise ValueError(f'origin must be a dict, got {stated!r}')
    return origin_of({**named, **(stated or {})})
