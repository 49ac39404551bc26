# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published LAVT checkpoints: their key names and ours."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from mmseg_remamber.checkpoints import Rule, WeightFamily, register_family
from mmseg_remamber.models.swin import segmentor_weights

_STAGE, _OUR_STAGE = 'backbone.layers.{i}', 'backbone.fusions.{i}'
_PWAM = tuple(
    (f'{_STAGE}.fusion.{old}.{{affine}}', f'{_OUR_STAGE}.pwam.{new}.{{affine}}')
    for old, new in (
        ('vis_project.0', 'vis'),
        ('image_lang_att.f_query.0', 'query'),
        ('image_lang_att.f_key.0', 'key'),
        ('image_lang_att.f_value.0', 'value'),
        ('image_lang_att.W.0', 'lang'),
        ('project_mm.0', 'proj'),
    )
)
_LEVELS = ((4, 0), (3, 1), (2, 2))
_RULES: tuple[Rule, ...] = (
    *_PWAM,
    (_STAGE + '.res_gate.{j}.weight', _OUR_STAGE + '.gate.{j}.weight'),
    ('backbone.norm{i}.{affine}', _OUR_STAGE + '.norm.{affine}'),
    *(
        rule
        for old, new in _LEVELS
        for j in (1, 2)
        for rule in (
            (f'classifier.conv{j}_{old}.weight', f'decode_head.levels.{new}.{j - 1}.conv.weight'),
            (
                f'classifier.bn{j}_{old}.{{batch_norm}}',
                f'decode_head.levels.{new}.{j - 1}.bn.{{batch_norm}}',
            ),
        )
    ),
    ('classifier.conv1_1.{affine}', 'decode_head.conv_seg.{affine}'),
)
#: Where BERT's keys are: inside the model, or beside it.
LAYOUTS = {'lavt_one': 'text_encoder.', 'lavt': 'bert_model.'}


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in LAVT's published spelling."""
    return any('.fusion.image_lang_att.f_query.' in key for key in keys)


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published LAVT keys -> those of :class:`ReferringSegmentor` with LAVT's fusion and head.

    BERT's keys begin with ``text_encoder.`` (``lavt_one``) or ``bert_model.`` (``lavt``, whose file
    has BERT beside the model).

    Raises:
        ValueError: for a key that nothing explains.
    """
    return segmentor_weights.from_official(state, _RULES, _is_pointwise)


def to_official(state: Mapping[str, Tensor], *, layout: str = 'lavt_one') -> dict[str, Tensor]:
    """Keys of :class:`ReferringSegmentor` with LAVT's fusion and head -> the published ones.

    Args:
        state: weights in our keys.
        layout: one of :data:`LAYOUTS`.

    Raises:
        ValueError: for a key that LAVT does not have, or an unknown layout.
    """
    if layout not in LAYOUTS:
        raise ValueError(f'layout must be one of {sorted(LAYOUTS)}, got {layout!r}')
    return segmentor_weights.to_official(state, _RULES, _is_pointwise, text_prefix=LAYOUTS[layout])


def _is_pointwise(key: str) -> bool:
    """Of a convolution of kernel 1 in the program, a linear layer here."""
    return '.pwam.' in key and key.endswith('.weight')


register_family(
    WeightFamily(
        name='lavt',
        is_official=is_official,
        from_official=from_official,
        to_official=to_official,
        advice="the authors' LAVT and must be converted by tools/model_converters/lavt.py",
        beside=('bert_model',),
    )
)
