# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""CLIP's text model: the key names of transformers' releases and ours."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
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

#: The first release of transformers with a spelling -> the prefix of its keys. Before 4.31 there
#: is also ``position_ids``, the integers from 0 on.
SPELLINGS = {'4.0': 'text_model.', '4.31': 'text_model.', '5.0': ''}

_POSITION_IDS = 'embeddings.position_ids'
_LAYER = (
    'layer_norm1',
    'layer_norm2',
    'mlp.fc1',
    'mlp.fc2',
    *(f'self_attn.{name}_proj' for name in ('q', 'k', 'v', 'out')),
)
_TENSORS = (
    'embeddings.token_embedding.weight',
    'embeddings.position_embedding.weight',
    'final_layer_norm.{affine}',
    *(f'encoder.layers.{{i}}.{name}.{{affine}}' for name in _LAYER),
)
# the other parts of a whole CLIPModel
_OTHER_PARTS = ('vision_model.', 'visual_projection.', 'text_projection.', 'logit_scale')


def text_rules(spelling: str) -> tuple[Rule, ...]:
    """(transformers, ours) templates; ours are those of :class:`CLIPSentenceEncoder`.

    Raises:
        ValueError: for a spelling that is not in :data:`SPELLINGS`.
    """
    if spelling not in SPELLINGS:
        raise ValueError(f'spelling must be one of {list(SPELLINGS)}, got {spelling!r}')
    return prefix(((name, name) for name in _TENSORS), SPELLINGS[spelling], 'model.')


def from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of any of transformers' spellings -> those of :class:`CLIPSentenceEncoder`.

    ``position_ids`` are checked and left out.

    Raises:
        ValueError: for a key that nothing explains, or position ids that do not count from 0.
    """
    state = dict(state)
    for start in sorted(set(SPELLINGS.values())):
        ids = state.pop(start + _POSITION_IDS, None)
        if ids is not None:
            check_position_ids(start + _POSITION_IDS, ids)
    return convert_keys(state, (*text_rules('4.31'), *text_rules('5.0')))


def to_transformers(state: Mapping[str, Tensor], *, spelling: str = '4.31') -> dict[str, Tensor]:
    """Keys of :class:`CLIPSentenceEncoder` -> transformers'. All releases read those of 4.31.

    Raises:
        ValueError: for a key that nothing explains, or an unknown spelling.
    """
    converted = convert_keys(state, reverse(text_rules(spelling)))
    if spelling == '4.0':
        start = SPELLINGS[spelling]
        positions = converted[f'{start}embeddings.position_embedding.weight'].shape[0]
        converted[start + _POSITION_IDS] = torch.arange(positions)[None]
    return converted


def read_text_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a CLIP text model in the keys of :class:`CLIPSentenceEncoder`.

    Args:
        path: a file in our keys, of the encoder alone or of a whole segmentor; a file in
            transformers' keys, of the text model or of all of CLIP; or a folder with the latter, as
            transformers saves it. What is not the text transformer, its projection included, is
            left out: ReMamber does not use it.

    Raises:
        FileNotFoundError: when there is no such file, or none with weights in the folder.
        ValueError: for a key that nothing explains.
    """
    return read_weights(path, _TENSORS, _of_text_alone)


def _of_text_alone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As :func:`from_transformers`, of the weights of all of CLIP, too."""
    return from_transformers(
        {key: value for key, value in state.items() if not key.startswith(_OTHER_PARTS)}
    )


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in transformers' spelling of CLIP, of the whole or of its text model."""
    return any(key.startswith(('text_model.', 'encoder.layers.')) for key in keys)


register_family(
    WeightFamily(
        name='clip',
        is_official=is_official,
        from_official=from_transformers,
        to_official=to_transformers,
        advice="CLIP's, for text_encoder.pretrained or tools/model_converters/clip.py",
    )
)
