# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published ReMamber checkpoints: their key names and ours."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from mmseg_remamber.checkpoints import (
    Rule,
    WeightFamily,
    convert_keys,
    prefix,
    register_family,
    reverse,
)
from mmseg_remamber.text.clip_weights import from_transformers, to_transformers
from mmseg_remamber.vmamba.weights import backbone_rules


def _local_text(old: str, new: str) -> tuple[Rule, ...]:
    names = (
        ('.vis_proj.0', '.image_proj'),
        ('.text_proj.0', '.text_proj'),
        ('.unsqueeze.0', '.conv'),
        ('.out_proj', '.out_proj'),
    )
    return tuple((f'{old}{a}.{{affine}}', f'{new}{b}.{{affine}}') for a, b in names)


_BLOCK, _OUR_BLOCK = 'multimodal_blocks.{i}.blocks.{j}', 'fusions.{i}.blocks.{j}'
_FUSION = (
    ('text_guidencee.{i}.0.{affine}', 'fusions.{i}.global_text.0.{affine}'),
    *_local_text('local_text_fusion.{i}', 'fusions.{i}.local_text'),
    (_BLOCK + '.ln_1.{affine}', _OUR_BLOCK + '.norm.{affine}'),
    (_BLOCK + '.self_attention.ss1d.{ss2d}', _OUR_BLOCK + '.twister.channel_scan.{ss2d}'),
    (_BLOCK + '.self_attention.ss2d.{ss2d}', _OUR_BLOCK + '.twister.spatial_scan.{ss2d}'),
)

# mixer3 works on the coarsest map and is our mixers.0
_MIXERS = tuple(
    rule
    for old, new in ((3, 0), (2, 1), (1, 2))
    for rule in (
        (f'mixer{old}.conv1.conv.weight', f'mixers.{new}.0.conv.weight'),
        (f'mixer{old}.conv1.bn.{{batch_norm}}', f'mixers.{new}.0.bn.{{batch_norm}}'),
        (f'mixer{old}.dwconv.weight', f'mixers.{new}.1.conv.weight'),
        (f'mixer{old}.norm.{{batch_norm}}', f'mixers.{new}.1.bn.{{batch_norm}}'),
        (f'mixer{old}.conv2.conv.weight', f'mixers.{new}.2.conv.weight'),
        (f'mixer{old}.conv2.bn.{{batch_norm}}', f'mixers.{new}.2.bn.{{batch_norm}}'),
    )
)
_CONV_HEAD = (
    *_MIXERS,
    ('neck.0.{affine}', 'neck.0.0.{affine}'),
    ('neck.1.{batch_norm}', 'neck.0.1.{batch_norm}'),
    ('neck.4.{affine}', 'neck.1.0.{affine}'),
    ('neck.5.{batch_norm}', 'neck.1.1.{batch_norm}'),
    ('neck.8.{affine}', 'conv_seg.{affine}'),
)

_SKIP, _OUR_SKIP = 'hire_fusion.{i}.fusion', 'skip_fusions.{i}.convs'
_MAMBA_HEAD = (
    ('text_guidencee.{i}.0.{affine}', 'levels.{i}.global_text.0.{affine}'),
    *_local_text('local_text_fusion.{i}', 'levels.{i}.local_text'),
    ('in_proj.{i}.weight', 'levels.{i}.in_proj.weight'),
    (_BLOCK + '.ln_1.{affine}', 'levels.{i}.blocks.{j}.norm.{affine}'),
    (_BLOCK + '.self_attention.{ss2d}', 'levels.{i}.blocks.{j}.op.{ss2d}'),
    ('multimodal_blocks.{i}.downsample.proj.weight', 'levels.{i}.out_proj.weight'),
    ('multimodal_blocks.{i}.downsample.norm.{affine}', 'levels.{i}.out_norm.{affine}'),
    (_SKIP + '.0.weight', _OUR_SKIP + '.0.conv.weight'),
    (_SKIP + '.1.{batch_norm}', _OUR_SKIP + '.0.bn.{batch_norm}'),
    (_SKIP + '.3.weight', _OUR_SKIP + '.1.conv.weight'),
    (_SKIP + '.4.{batch_norm}', _OUR_SKIP + '.1.bn.{batch_norm}'),
    ('proj_out.1.0.weight', 'conv_out.conv.weight'),
    ('proj_out.1.1.{batch_norm}', 'conv_out.bn.{batch_norm}'),
    ('proj_out.2.{affine}', 'conv_seg.{affine}'),
)

_HEADS = {'conv': _CONV_HEAD, 'mamba': _MAMBA_HEAD}
_HEAD_MARKS = {
    'conv': ('decoder.neck.', 'decode_head.neck.'),
    'mamba': ('decoder.hire_fusion.', 'decode_head.skip_fusions.'),
}
_TEXT = 'text_encoder.'


def head_of(keys: Iterable[str]) -> str:
    """Which head a ReMamber has, from its keys in the published spelling or ours.

    Returns:
        'conv' or 'mamba'.

    Raises:
        ValueError: when the keys show neither, or both.
    """
    keys = list(keys)
    found = [h for h, marks in _HEAD_MARKS.items() if any(k.startswith(marks) for k in keys)]
    if len(found) != 1:
        raise ValueError(
            f'not a ReMamber checkpoint: expected the keys of exactly one head of '
            f'{sorted(_HEADS)}, found {found or "none"}; the keys begin {keys[:3]}'
        )
    return found[0]


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in ReMamber's published spelling."""
    return any(key.startswith(('decoder.', 'backbone.multimodal_blocks.')) for key in keys)


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published ReMamber keys -> those of :class:`ReferringSegmentor` with the same head.

    The text model may be spelled as any release of transformers does.

    Raises:
        ValueError: for a key that nothing explains.
    """
    text, rest = _split_text(state)
    converted = from_transformers(text)
    return {_TEXT + key: value for key, value in converted.items()} | convert_keys(
        rest, _rules(state)
    )


def to_official(state: Mapping[str, Tensor], *, spelling: str = '4.31') -> dict[str, Tensor]:
    """Keys of :class:`ReferringSegmentor` with Twister stages -> the published ones.

    Args:
        state: weights in our keys.
        spelling: of the text model's keys, as in
            :data:`mmseg_remamber.text.clip_weights.SPELLINGS`.

    Raises:
        ValueError: for a key that no published model has, or an unknown spelling.
    """
    text, rest = _split_text(state)
    converted = to_transformers(text, spelling=spelling)
    return {_TEXT + key: value for key, value in converted.items()} | convert_keys(
        rest, reverse(_rules(state))
    )


def _split_text(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The text model's weights, without their prefix, and the others."""
    text = {k.removeprefix(_TEXT): v for k, v in state.items() if k.startswith(_TEXT)}
    return text, {k: v for k, v in state.items() if not k.startswith(_TEXT)}


def _rules(keys: Iterable[str]) -> tuple[Rule, ...]:
    """(published, ours) templates of everything but the text model."""
    keys = list(keys)
    return (
        *prefix(backbone_rules(keys), 'backbone.', 'backbone.image.'),
        *prefix(_FUSION, 'backbone.', 'backbone.'),
        *prefix(_HEADS[head_of(keys)], 'decoder.', 'decode_head.'),
    )


register_family(
    WeightFamily(
        name='remamber',
        is_official=is_official,
        from_official=from_official,
        to_official=to_official,
        advice="the authors' and must be converted by tools/model_converters/remamber.py",
    )
)
