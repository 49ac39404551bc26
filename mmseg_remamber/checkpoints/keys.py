# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Renaming the keys of a state dict, from one table in both directions."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

#: Two key templates of ``str.format``, the published one first. Both have the same fields.
Rule = tuple[str, str]

# what the fields stand for: each a closed list, so that no unknown key passes
_FIELDS = {
    'i': r'\d+',
    'j': r'\d+',
    'affine': 'weight|bias',
    'batch_norm': 'weight|bias|running_mean|running_var|num_batches_tracked',
    'ss2d': r'A_logs|Ds|x_proj_weight|dt_projs_weight|dt_projs_bias|in_proj\.weight'
    r'|conv2d\.(?:weight|bias)|out_norm\.(?:weight|bias)|out_proj\.weight',
}


def convert_keys(state: Mapping[str, Any], rules: Iterable[Rule]) -> dict[str, Any]:
    """Rename every key by the one rule whose first template it matches whole.

    Raises:
        ValueError: for keys that no rule explains, or two keys that become one.
    """
    converted, unexplained = {}, []
    rules = tuple(rules)
    for key, value in state.items():
        matches = ((_pattern(old).fullmatch(key), new) for old, new in rules)
        names = [new.format(**match.groupdict()) for match, new in matches if match]
        if len(names) != 1:
            unexplained.append(key)
        elif names[0] in converted:
            raise ValueError(f'two keys become {names[0]!r}; the second is {key!r}')
        else:
            converted[names[0]] = value
    if unexplained:
        raise ValueError(f'{len(unexplained)} keys of another model: {unexplained[:5]}')
    return converted


def reverse(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same renaming, backwards."""
    return tuple((new, old) for old, new in rules)


def prefix(rules: Iterable[Rule], old: str, new: str) -> tuple[Rule, ...]:
    """The same renaming below ``old`` and ``new``."""
    return tuple((old + a, new + b) for a, b in rules)


@lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern:
    parts = re.split(r'{(\w+)}', template)  # text and field names in turn
    return re.compile(
        ''.join(
            f'(?P<{part}>{_FIELDS[part]})' if is_field else re.escape(part)
            for part, is_field in zip(parts, (i % 2 for i in range(len(parts))))
        )
    )
