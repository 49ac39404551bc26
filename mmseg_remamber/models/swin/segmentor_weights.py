# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Key names of the published segmentors that have a Swin trunk and BERT."""

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from mmseg_remamber.checkpoints import Rule, convert_keys, reverse
from mmseg_remamber.text.bert_weights import from_transformers, to_transformers

from .weights import is_trunk_key, trunk_from_official, trunk_to_official

#: How BERT's keys begin: inside the model, or of a model beside it.
TEXT_PREFIXES = ('text_encoder.', 'bert_model.')

_TRUNK, _OUR_TRUNK, _OUR_TEXT = 'backbone.', 'backbone.image.', 'text_encoder.'


def from_official(
    state: Mapping[str, Tensor], rules: Iterable[Rule], is_pointwise: Callable[[str], bool]
) -> dict[str, Tensor]:
    """Published keys -> those of a :class:`ReferringSegmentor` with a :class:`SwinTrunk` and BERT.

    Args:
        state: published weights.
        rules: (published, ours) templates of all but trunk and BERT.
        is_pointwise: whether a key of ours is the weight of a linear layer that the program has as
            a convolution of kernel 1.

    Raises:
        ValueError: for a key that nothing explains.
    """
    text, trunk, rest = {}, {}, {}
    for key, value in state.items():
        prefix = next((start for start in TEXT_PREFIXES if key.startswith(start)), None)
        own = key.removeprefix(_TRUNK)
        if prefix is not None:
            text[key.removeprefix(prefix)] = value
        elif own != key and is_trunk_key(own):
            trunk[own] = value
        else:
            rest[key] = value
    converted = convert_keys(rest, rules)
    for key, value in converted.items():
        if is_pointwise(key):
            converted[key] = value.squeeze(-1)
    return (
        {_OUR_TEXT + key: value for key, value in from_transformers(text).items()}
        | {_OUR_TRUNK + key: value for key, value in trunk_from_official(trunk).items()}
        | converted
    )


def to_official(
    state: Mapping[str, Tensor],
    rules: Iterable[Rule],
    is_pointwise: Callable[[str], bool],
    *,
    text_prefix: str,
) -> dict[str, Tensor]:
    """The way back.

    Args:
        state: weights in our keys.
        rules, is_pointwise: as of :func:`from_official`.
        text_prefix: one of :data:`TEXT_PREFIXES`.

    Raises:
        ValueError: for a key that the published model does not have.
    """
    text, trunk, rest = {}, {}, {}
    for key, value in state.items():
        if key.startswith(_OUR_TEXT):
            text[key.removeprefix(_OUR_TEXT)] = value
        elif key.startswith(_OUR_TRUNK):
            trunk[key.removeprefix(_OUR_TRUNK)] = value
        else:
            rest[key] = value.unsqueeze(-1) if is_pointwise(key) else value
    return (
        {text_prefix + key: value for key, value in to_transformers(text).items()}
        | {_TRUNK + key: value for key, value in trunk_to_official(trunk).items()}
        | convert_keys(rest, reverse(rules))
    )
