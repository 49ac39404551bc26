# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published LGFormer checkpoints: their key names and ours."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from mmseg_remamber.checkpoints import Rule, WeightFamily, register_family
from mmseg_remamber.models.swin import segmentor_weights

_STAGE, _OUR_STAGE = 'backbone.layers.{i}', 'backbone.fusions.{i}'
_VLBA = tuple(
    (f'{_STAGE}.fusion.{old}.{{affine}}', f'{_OUR_STAGE}.vlba.{new}.{{affine}}')
    for old, new in (
        ('vis_project.0', 'vis'),
        ('lang_project.0', 'lan'),
        ('image_lang_att.query.0', 'query'),
        ('image_lang_att.key', 'key'),
        ('image_lang_att.value', 'value'),
        ('image_lang_att.W.0', 'to_image'),
        ('image_lang_att.sym_value.0', 'image_value'),
        ('image_lang_att.sym_W', 'to_words'),
        ('project_mm.0', 'fuse_image.0'),
        ('project_mm.3', 'fuse_image.2'),
        ('sym_project_mm.0', 'fuse_words.0'),
        ('sym_project_mm.3', 'fuse_words.2'),
    )
)


def _attention_layer(old: str, new: str) -> tuple[Rule, ...]:
    projections = ('q_proj_weight', 'k_proj_weight', 'v_proj_weight', 'in_proj_bias')
    return (
        *((f'{old}.cross_attn.{name}', f'{new}.attn.{name}') for name in projections),
        (f'{old}.cross_attn.out_proj.{{affine}}', f'{new}.attn.out_proj.{{affine}}'),
        (f'{old}.norm_ca.{{affine}}', f'{new}.norm1.{{affine}}'),
        (f'{old}.ffn.0.{{affine}}', f'{new}.ffn.0.{{affine}}'),
        (f'{old}.ffn.3.{{affine}}', f'{new}.ffn.2.{{affine}}'),
        (f'{old}.norm_ffn.{{affine}}', f'{new}.norm2.{{affine}}'),
    )


_PIXELS, _OUR_PIXELS = 'classifier.pix_dec', 'decode_head.pixel_decoder'
_ROUNDS = f'{_PIXELS}.transformer.encoder'
_DEFORMABLE, _OUR_DEFORMABLE = f'{_ROUNDS}.layers.{{i}}', f'{_OUR_PIXELS}.layers.{{i}}'
_PIXEL_DECODER = (
    (
        f'{_PIXELS}.input_proj.{{i}}.{{j}}.{{affine}}',
        f'{_OUR_PIXELS}.input_projs.{{i}}.{{j}}.{{affine}}',
    ),
    (f'{_PIXELS}.transformer.level_embed', f'{_OUR_PIXELS}.level_embed'),
    *(
        (f'{_DEFORMABLE}.self_attn.{old}.{{affine}}', f'{_OUR_DEFORMABLE}.attn.{new}.{{affine}}')
        for old, new in (
            ('sampling_offsets', 'offsets'),
            ('attention_weights', 'weights'),
            ('value_proj', 'value'),
            ('output_proj', 'out'),
        )
    ),
    *(
        (f'{_DEFORMABLE}.{old}.{{affine}}', f'{_OUR_DEFORMABLE}.{new}.{{affine}}')
        for old, new in (
            ('norm1', 'norm1'),
            ('norm2', 'norm2'),
            ('linear1', 'ffn.0'),
            ('linear2', 'ffn.2'),
        )
    ),
    *_attention_layer(f'{_ROUNDS}.cross_attn_layers.{{i}}', f'{_OUR_PIXELS}.text_layers.{{i}}'),
    (f'{_ROUNDS}.key_embed.weight', f'{_OUR_PIXELS}.key_embed.weight'),
    (f'{_PIXELS}.mask_features.{{affine}}', f'{_OUR_PIXELS}.mask_features.{{affine}}'),
    (f'{_PIXELS}.adapter_1.{{i}}.{{affine}}', f'{_OUR_PIXELS}.adapter.{{i}}.{{affine}}'),
    (f'{_PIXELS}.layer_1.{{i}}.{{affine}}', f'{_OUR_PIXELS}.fine.{{i}}.{{affine}}'),
)
_BODY, _OUR_BODY = 'classifier.dynamic_conv_gen_body', 'decode_head.query_decoder'
_QUERY_DECODER = (
    ('classifier.txt_proj.{affine}', f'{_OUR_BODY}.text_proj.{{affine}}'),
    *_attention_layer(f'{_BODY}.layers.{{i}}', f'{_OUR_BODY}.layers.{{i}}'),
    (f'{_BODY}.query_embed.weight', f'{_OUR_BODY}.query_embed.weight'),
    (f'{_BODY}.level_embed.weight', f'{_OUR_BODY}.level_embed.weight'),
    ('classifier.dynamic_conv_gen_head.{i}.{affine}', f'{_OUR_BODY}.filter.{{i}}.{{affine}}'),
)
_RULES: tuple[Rule, ...] = (
    *_VLBA,
    (_STAGE + '.res_gate.{j}.weight', _OUR_STAGE + '.gate.{j}.weight'),
    (_STAGE + '.sym_res_gate.{j}.weight', _OUR_STAGE + '.words_gate.{j}.weight'),
    ('backbone.norm{i}.{affine}', _OUR_STAGE + '.norm.{affine}'),
    *_PIXEL_DECODER,
    *_QUERY_DECODER,
)


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in LGFormer's published spelling."""
    return any('.fusion.image_lang_att.sym_W.' in key for key in keys)


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published LGFormer keys -> those of :class:`ReferringSegmentor` with its fusion and head.

    Raises:
        ValueError: for a key that nothing explains.
    """
    return segmentor_weights.from_official(state, _RULES, _is_pointwise)


def to_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of :class:`ReferringSegmentor` with LGFormer's fusion and head -> the published ones.

    Raises:
        ValueError: for a key that LGFormer does not have.
    """
    return segmentor_weights.to_official(state, _RULES, _is_pointwise, text_prefix='text_encoder.')


def _is_pointwise(key: str) -> bool:
    """Of a convolution of kernel 1 in the program, a linear layer here."""
    return '.vlba.' in key and key.endswith('.weight')


register_family(
    WeightFamily(
        name='lgformer',
        is_official=is_official,
        from_official=from_official,
        to_official=to_official,
        advice="the authors' LGFormer and must be converted by tools/model_converters/lgformer.py",
    )
)
