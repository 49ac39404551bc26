# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published ReMamber checkpoints: their key names and ours."""

import re

from torch import Tensor

from mmseg_remamber.vmamba.checkpoint import convert_keys
from mmseg_remamber.vmamba.checkpoint import from_official as vmamba_from_official


def _compile(*rules: tuple[str, str]) -> tuple[tuple[re.Pattern, str], ...]:
    return tuple((re.compile(pattern), name) for pattern, name in rules)


def _local_text(old: str, new: str) -> tuple[tuple[str, str], ...]:
    return (
        (old + r'\.vis_proj\.0\.(\w+)', new + r'.image_proj.0.\2'),
        (old + r'\.text_proj\.0\.(\w+)', new + r'.text_proj.0.\2'),
        (old + r'\.unsqueeze\.0\.(\w+)', new + r'.conv.\2'),
        (old + r'\.out_proj\.(\w+)', new + r'.out_proj.\2'),
    )


_BLOCK = r'multimodal_blocks\.(\d+)\.blocks\.(\d+)'

_FUSION_RULES = _compile(
    (r'text_guidencee\.(\d+)\.0\.(\w+)', r'fusions.\1.global_text.0.\2'),
    *_local_text(r'local_text_fusion\.(\d+)', r'fusions.\1.local_text'),
    (_BLOCK + r'\.ln_1\.(\w+)', r'fusions.\1.blocks.\2.norm.\3'),
    (
        _BLOCK + r'\.self_attention\.ss1d\.(.+)',
        r'fusions.\1.blocks.\2.twister.channel_scan.\3',
    ),
    (
        _BLOCK + r'\.self_attention\.ss2d\.(.+)',
        r'fusions.\1.blocks.\2.twister.spatial_scan.\3',
    ),
)

# mixer3 works on the coarsest map and is our mixers.0
_CONV_HEAD_RULES = _compile(
    *(
        rule
        for old, new in ((3, 0), (2, 1), (1, 2))
        for rule in (
            (rf'mixer{old}\.conv1\.(.+)', rf'mixers.{new}.0.\1'),
            (rf'mixer{old}\.dwconv\.(.+)', rf'mixers.{new}.1.conv.\1'),
            (rf'mixer{old}\.norm\.(.+)', rf'mixers.{new}.1.bn.\1'),
            (rf'mixer{old}\.conv2\.(.+)', rf'mixers.{new}.2.\1'),
        )
    ),
    (r'neck\.([01])\.(.+)', r'neck.0.\1.\2'),
    (r'neck\.4\.(.+)', r'neck.1.0.\1'),
    (r'neck\.5\.(.+)', r'neck.1.1.\1'),
    (r'neck\.8\.(.+)', r'conv_seg.\1'),
)

_MAMBA_HEAD_RULES = _compile(
    (r'text_guidencee\.(\d+)\.0\.(\w+)', r'levels.\1.global_text.0.\2'),
    *_local_text(r'local_text_fusion\.(\d+)', r'levels.\1.local_text'),
    (r'in_proj\.(\d+)\.weight', r'levels.\1.in_proj.weight'),
    (_BLOCK + r'\.ln_1\.(\w+)', r'levels.\1.blocks.\2.norm.\3'),
    (_BLOCK + r'\.self_attention\.(.+)', r'levels.\1.blocks.\2.op.\3'),
    (r'multimodal_blocks\.(\d+)\.downsample\.(proj|norm)\.(\w+)', r'levels.\1.out_\2.\3'),
    (r'hire_fusion\.(\d+)\.fusion\.0\.(\w+)', r'skip_fusions.\1.convs.0.conv.\2'),
    (r'hire_fusion\.(\d+)\.fusion\.1\.(\w+)', r'skip_fusions.\1.convs.0.bn.\2'),
    (r'hire_fusion\.(\d+)\.fusion\.3\.(\w+)', r'skip_fusions.\1.convs.1.conv.\2'),
    (r'hire_fusion\.(\d+)\.fusion\.4\.(\w+)', r'skip_fusions.\1.convs.1.bn.\2'),
    (r'proj_out\.1\.0\.(\w+)', r'conv_out.conv.\1'),
    (r'proj_out\.1\.1\.(\w+)', r'conv_out.bn.\1'),
    (r'proj_out\.2\.(\w+)', r'conv_seg.\1'),
)

_TEXT_RULES = _compile(
    (r'(?:text_model\.)?((?:embeddings|encoder|final_layer_norm)\..+)', r'model.\1'),
)

_HEAD_MARKS = {'conv': 'decoder.neck.', 'mamba': 'decoder.hire_fusion.'}


def head_of(state: dict[str, Tensor]) -> str:
    """Which head the published weights have: 'conv' or 'mamba'.

    Raises:
        ValueError: when the keys show neither, or both.
    """
    found = [
        head for head, mark in _HEAD_MARKS.items() if any(key.startswith(mark) for key in state)
    ]
    if len(found) != 1:
        raise ValueError(
            f'not a ReMamber checkpoint: expected keys of exactly one of '
            f'{list(_HEAD_MARKS.values())}, found {found}; the keys begin {list(state)[:3]}'
        )
    return found[0]


def from_official(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Published ReMamber keys -> those of :class:`ReferringSegmentor` with the same head.

    Wrappers' ``module.`` prefixes are accepted, and the integer ``position_ids`` that older
    transformers store is left out: it is a constant.

    Raises:
        ValueError: for a key that nothing explains.
    """
    state = {key.removeprefix('module.'): value for key, value in state.items()}
    head_rules = _CONV_HEAD_RULES if head_of(state) == 'conv' else _MAMBA_HEAD_RULES
    parts = {'backbone': {}, 'text_encoder': {}, 'decoder': {}}
    for key, value in state.items():
        part, _, rest = key.partition('.')
        if part not in parts:
            raise ValueError(f'key {key!r} belongs to none of {sorted(parts)}')
        parts[part][rest] = value
    parts['text_encoder'].pop('text_model.embeddings.position_ids', None)

    fusion_keys = [k for k in parts['backbone'] if any(r.fullmatch(k) for r, _ in _FUSION_RULES)]
    fusion = {key: parts['backbone'].pop(key) for key in fusion_keys}
    backbone = vmamba_from_official(parts['backbone']) | convert_keys(fusion, _FUSION_RULES)
    text = convert_keys(parts['text_encoder'], _TEXT_RULES)
    head = convert_keys(parts['decoder'], head_rules)
    return {
        f'{name}.{key}': value
        for name, part in (('text_encoder', text), ('backbone', backbone), ('decode_head', head))
        for key, value in part.items()
    }
