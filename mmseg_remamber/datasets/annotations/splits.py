# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Splits by picture: given by a table, or drawn."""

import hashlib
import re
from collections.abc import Mapping

_SPLIT = re.compile(r'train|val|test[A-Z]*')


def check_split(split: str) -> None:
    """Check the name of a split.

    Raises:
        ValueError: It is not one that datasets know.
    """
    if not _SPLIT.fullmatch(split):
        raise ValueError(f'split must be train, val, test, testA, ..., got {split!r}')


def draw_splits(
    pictures: Mapping[str, str], *, val: float, test: float, seed: int
) -> dict[str, str]:
    """Draw the splits of pictures.

    What is drawn depends on the seed and the names alone. Files of the same content go together.

    Args:
        pictures: Name -> digest of its content.
        val, test: Shares of the pictures; one at least where the share is above 0.
        seed: Not negative.

    Returns:
        Name -> 'train', 'val' or 'test'.

    Raises:
        ValueError: Shares that leave nothing for training or validation, or too few pictures.
    """
    if not (0 < val < 1 and 0 <= test < 1 and val + test < 1):
        raise ValueError(
            f'val must be above 0 and val + test below 1, so that there is something to validate '
            f'and to train on; got {val} and {test}'
        )
    if seed < 0:
        raise ValueError(f'seed must not be negative, got {seed}')
    groups: dict[str, list[str]] = {}
    for name in sorted(pictures):
        groups.setdefault(pictures[name], []).append(name)
    members = sorted(groups.values(), key=lambda names: _lot(seed, names[0]))
    sizes = {
        split: max(1, round(share * len(members))) if share else 0
        for split, share in (('val', val), ('test', test))
    }
    if sum(sizes.values()) >= len(members):
        raise ValueError(
            f'{len(members)} different pictures with sentences are too few to draw '
            f'{sizes["val"]} for val and {sizes["test"]} for test and to train on others'
        )
    drawn = {}
    for position, names in enumerate(members):
        after_val = position - sizes['val']
        split = 'val' if after_val < 0 else 'test' if after_val < sizes['test'] else 'train'
        drawn.update(dict.fromkeys(names, split))
    return drawn


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f'{seed}\n{name}'.encode()).digest()
