# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""BERT: the key names of transformers, of the files on its hub, and ours."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from mmseg_remamber.checkpoints import (
    Rule,
    WeightFamily,
    convert_keys,
    prefix,
    register_family,
    reverse,
)

from .pretrained import check_position_ids, read_weights

_LAYER = (
    *(f'attention.self.{name}' for name in ('query', 'key', 'value')),
    'attention.output.dense',
    'attention.output.LayerNorm',
    'intermediate.dense',
    'output.dense',
    'output.LayerNorm',
)
_TENSORS = (
    *(f'embeddings.{name}_embeddings.weight' for name in ('word', 'position', 'token_type')),
    'embeddings.LayerNorm.{affine}',
    *(f'encoder.layer.{{i}}.{name}.{{affine}}' for name in _LAYER),
)
_RULES: tuple[Rule, ...] = prefix(((name, name) for name in _TENSORS), '', 'model.')
_POSITION_IDS = 'embeddings.position_ids'
# the other parts of a model for pretraining
_OTHER_PARTS = ('cls.', 'pooler.')


def from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of transformers' ``BertModel`` -> those of :class:`BERTSentenceEncoder`.

    They may begin with ``bert.``, and spell the norms' parameters ``gamma`` and ``beta``, as the
    files on the hub do. The pooler and the heads of pretraining (``cls.*``) are left out, and so
    are ``position_ids``, which are checked.

    Raises:
        ValueError: for a key that nothing explains, or position ids that do not count from 0.
    """
    plain = {}
    for key, value in state.items():
        key = key.removeprefix('bert.')
        if key.startswith(_OTHER_PARTS):
            continue
        if key == _POSITION_IDS:
            check_position_ids(key, value)
            continue
        key = key.replace('LayerNorm.gamma', 'LayerNorm.weight')
        plain[key.replace('LayerNorm.beta', 'LayerNorm.bias')] = value
    return convert_keys(plain, _RULES)


def to_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of :class:`BERTSentenceEncoder` -> transformers'.

    Raises:
        ValueError: for a key that nothing explains.
    """
    return convert_keys(state, reverse(_RULES))


def read_text_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a BERT in the keys of :class:`BERTSentenceEncoder`.

    Args:
        path: a file in our keys, of the encoder alone or of a whole segmentor; a file in
            transformers' keys; or a folder with the latter, as transformers saves it.

    Raises:
        FileNotFoundError: when there is no such file, or none with weights in the folder.
        ValueError: for a key that nothing explains.
    """
    return read_weights(path, _TENSORS, from_transformers)


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in transformers' spelling of BERT."""
    return any(key.removeprefix('bert.').startswith('encoder.layer.') for key in keys)


register_family(
    WeightFamily(
        name='bert',
        is_official=is_official,
        from_official=from_transformers,
        to_official=to_transformers,
        advice="BERT's, for text_encoder.pretrained",
    )
)
