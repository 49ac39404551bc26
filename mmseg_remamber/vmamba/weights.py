# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published VMamba weights: key names and strict loading."""

from collections.abc import Iterable, Mapping

from mmengine.logging import print_log
from torch import Tensor, nn

from mmseg_remamber.checkpoints import (
    Rule,
    WeightFamily,
    convert_keys,
    differences,
    prefix,
    read_pretrained,
    register_family,
    reverse,
)

_STAGES = (
    ('layers.{i}.blocks.{j}.norm.{affine}', 'stages.{i}.{j}.norm.{affine}'),
    ('layers.{i}.blocks.{j}.op.{ss2d}', 'stages.{i}.{j}.op.{ss2d}'),
    ('layers.{i}.blocks.{j}.norm2.{affine}', 'stages.{i}.{j}.norm2.{affine}'),
    ('layers.{i}.blocks.{j}.mlp.fc1.{affine}', 'stages.{i}.{j}.mlp.fc1.{affine}'),
    ('layers.{i}.blocks.{j}.mlp.fc2.{affine}', 'stages.{i}.{j}.mlp.fc2.{affine}'),
)
_EMBED_V1 = (
    ('patch_embed.0.{affine}', 'patch_embed.proj.{affine}'),
    ('patch_embed.2.{affine}', 'patch_embed.norm.{affine}'),
)
_EMBED_V2 = (
    ('patch_embed.0.{affine}', 'patch_embed.proj1.{affine}'),
    ('patch_embed.2.{affine}', 'patch_embed.norm1.{affine}'),
    ('patch_embed.5.{affine}', 'patch_embed.proj2.{affine}'),
    ('patch_embed.7.{affine}', 'patch_embed.norm2.{affine}'),
)
_DOWNSAMPLE_V1 = (
    ('layers.{i}.downsample.norm.{affine}', 'downsamples.{i}.norm.{affine}'),
    ('layers.{i}.downsample.reduction.weight', 'downsamples.{i}.reduction.weight'),
)
_DOWNSAMPLE_V2_V3 = (
    ('layers.{i}.downsample.1.{affine}', 'downsamples.{i}.conv.{affine}'),
    ('layers.{i}.downsample.3.{affine}', 'downsamples.{i}.norm.{affine}'),
)
_OUT_NORMS = (('outnorm{i}.{affine}', 'out_norms.{i}.{affine}'),)
_CLASSIFIER = (
    ('classifier.norm.{affine}', 'norm.{affine}'),
    ('classifier.head.{affine}', 'head.{affine}'),
)
# what the first releases of vanilla VMamba spell in another way
_FIRST_RELEASE = (
    ('patch_embed.proj.{affine}', 'backbone.patch_embed.proj.{affine}'),
    ('patch_embed.norm.{affine}', 'backbone.patch_embed.norm.{affine}'),
    ('layers.{i}.blocks.{j}.ln_1.{affine}', 'backbone.stages.{i}.{j}.norm.{affine}'),
    ('layers.{i}.blocks.{j}.self_attention.{ss2d}', 'backbone.stages.{i}.{j}.op.{ss2d}'),
    ('norm.{affine}', 'norm.{affine}'),
    ('head.{affine}', 'head.{affine}'),
)


def backbone_rules(keys: Iterable[str]) -> tuple[Rule, ...]:
    """(published, ours) templates of embedding, stages and downsamplings of a backbone.

    Args:
        keys: keys of either spelling, with any prefix; they show which layers the variant has.
    """
    keys = list(keys)
    has_v2_embed = any('patch_embed.5.' in k or 'patch_embed.proj2.' in k for k in keys)
    merges_patches = any('.reduction.' in key for key in keys)
    return (
        *_STAGES,
        *(_EMBED_V2 if has_v2_embed else _EMBED_V1),
        *(_DOWNSAMPLE_V1 if merges_patches else _DOWNSAMPLE_V2_V3),
    )


def _classifier_rules(keys: Iterable[str]) -> tuple[Rule, ...]:
    backbone = prefix((*backbone_rules(keys), *_OUT_NORMS), '', 'backbone.')
    return (*backbone, *_CLASSIFIER)


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in VMamba's published spelling."""
    return any(key.startswith('layers.') for key in keys)


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published VMamba keys, those of the first releases included -> :class:`VMambaClassifier`'s.

    Output norms of a published backbone become ``backbone.out_norms``.

    Raises:
        ValueError: for a key that is not of a published VMamba.
    """
    return convert_keys(state, (*_classifier_rules(state), *_FIRST_RELEASE))


def to_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of :class:`VMambaClassifier`, or of a bare :class:`VMamba` -> the published ones.

    Raises:
        ValueError: for a key that is of neither.
    """
    if not any(key.startswith('backbone.') for key in state):
        state = {f'backbone.{key}': value for key, value in state.items()}
    return convert_keys(state, reverse(_classifier_rules(state)))


def load_pretrained(backbone: nn.Module, path: str, *, key_prefix: str | None = None) -> None:
    """Load published or own VMamba weights into a backbone.

    The classifier is left out, and said so. Output norms that the checkpoint does not have keep
    their initialisation.

    Args:
        backbone: a :class:`VMamba`.
        path: file path or URL, as :func:`read_checkpoint` takes it.
        key_prefix: load only the keys that begin with it, without it, as from a whole model.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a key nothing explains, or one of patch embedding, stages or downsamplings
            that is missing or of another shape, or when no key begins with ``key_prefix``.
    """
    state = read_pretrained(path, key_prefix)
    if is_official(state):
        state = from_official(state)
    state = {key.removeprefix('backbone.'): value for key, value in state.items()}
    dropped = [key for key in state if key.startswith(('classifier.', 'norm.', 'head.'))]
    state = {key: value for key, value in state.items() if key not in dropped}
    own = backbone.state_dict()
    core = ('patch_embed.', 'stages.', 'downsamples.')
    wanted = {key: own[key] for key in own if key.startswith(core) or key in state}
    if mismatch := differences(wanted, state):
        raise ValueError(f'{path} does not fit this backbone:\n{mismatch}')
    backbone.load_state_dict(state, strict=False)
    kept = sorted({key.split('.')[0] for key in own if key not in state})
    print_log(
        f'Loaded {len(state)} tensors from {path}; left out {dropped or "nothing"}; '
        f'not in the file, initialised at random: {kept or "nothing"}',
        logger='current',
    )


register_family(
    WeightFamily(
        name='vmamba',
        is_official=is_official,
        from_official=from_official,
        to_official=to_official,
        advice="VMamba's, for init_cfg of a VMamba or tools/model_converters/vmamba.py",
    )
)
