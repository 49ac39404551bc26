# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The families of weights that other programs publish: how to know them, and how to convert them.

A family registers itself where its weights module is imported. Loading, error texts and converters
go through this registry, so that none of them knows a family by name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class WeightFamily:
    """Weights in the spelling of the program that published them.

    Attributes:
        name: of the family, as in ``tools/model_converters/NAME.py``.
        is_official: whether keys are in the published spelling.
        from_official: published weights -> this project's keys. It raises ValueError for a key that
            nothing explains.
        to_official: the way back; further spellings are keyword options of the family's own.
        advice: what to do with published weights where this project's are wanted, the end of a
            sentence that begins with "it is".
        beside: entries of a published file whose weights stand beside the model's. In a state their
            keys begin with the entry's name and a dot.
    """

    name: str
    is_official: Callable[[Iterable[str]], bool]
    from_official: Callable[[State], dict[str, Tensor]]
    to_official: Callable[..., dict[str, Tensor]]
    advice: str
    beside: tuple[str, ...] = ()


_FAMILIES: dict[str, WeightFamily] = {}


def register_family(family: WeightFamily) -> WeightFamily:
    """Make a family known.

    Raises:
        ValueError: when another family has its name.
    """
    if _FAMILIES.setdefault(family.name, family) is not family:
        raise ValueError(f'a family of weights is named {family.name!r} already')
    return family


def weight_family(name: str) -> WeightFamily:
    """The family of a name.

    Raises:
        ValueError: for a name that no imported module has registered.
    """
    if name not in _FAMILIES:
        raise ValueError(f'family must be one of {sorted(_FAMILIES)}, got {name!r}')
    return _FAMILIES[name]


def recognise(keys: Iterable[str]) -> WeightFamily | None:
    """The family in whose published spelling the keys are, or None."""
    keys = list(keys)
    return next((family for family in _FAMILIES.values() if family.is_official(keys)), None)
