# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published VMamba weights: key names and strict loading."""

from collections.abc import Iterable, Mapping

from mmengine.logging import print_log
from torch import Tensor, nn

from mmseg_remamber.checkpoints import (
    PretrainedFile,
    Rule,
    WeightFamily,
    convert_keys,
    differences,
    prefix,
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
    ('classifier.norm.{affine}', 'backbone.out_norms.3.{affine}'),
    ('classifier.head.{affine}', 'head.fc.{affine}'),
)
# what the first releases of vanilla VMamba spell in another way
_FIRST_RELEASE = (
    ('patch_embed.proj.{affine}', 'patch_embed.proj.{affine}'),
    ('patch_embed.norm.{affine}', 'patch_embed.norm.{affine}'),
    ('layers.{i}.blocks.{j}.ln_1.{affine}', 'stages.{i}.{j}.norm.{affine}'),
    ('layers.{i}.blocks.{j}.self_attention.{ss2d}', 'stages.{i}.{j}.op.{ss2d}'),
)
_FIRST_CLASSIFIER = (
    ('norm.{affine}', 'backbone.out_norms.3.{affine}'),
    ('head.{affine}', 'head.fc.{affine}'),
)
_BACKBONE = 'backbone.'
# of layers that some of the authors' code has as convolutions of kernel 1
_LINEAR = ('in_proj.weight', 'out_proj.weight', 'fc1.weight', 'fc2.weight', 'reduction.weight')


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


def is_official(keys: Iterable[str]) -> bool:
    """Whether the keys are in VMamba's published spelling: of a classifier, or of a detector or
    segmentor, whose backbone has output norms."""
    return any(key.startswith(('layers.', 'backbone.outnorm')) for key in keys)


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published VMamba keys, those of the first releases included -> the toolboxes' with
    :class:`VMamba`.

    A classifier's become those of mmpretrain's ``ImageClassifier``: ``backbone.``, of which the
    norm before the head is ``out_norms.3``, and ``head.fc.``. Of a detector's or segmentor's those
    below ``backbone.`` change and the others stay.

    Raises:
        ValueError: for a key below ``backbone.``, or of a classifier, that is not of a published
            VMamba.
    """
    backbone = (*backbone_rules(state), *_OUT_NORMS, *_FIRST_RELEASE)
    state = {key: _flat(key, value) for key, value in state.items()}
    inside, rest = _of_backbone(state)
    if inside:
        return convert_keys(inside, prefix(backbone, _BACKBONE, _BACKBONE)) | rest
    rules = (*prefix(backbone, '', _BACKBONE), *_CLASSIFIER, *_FIRST_CLASSIFIER)
    return convert_keys(state, rules)


def to_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of a toolbox's model with :class:`VMamba`, or of a bare one -> the published ones.

    Raises:
        ValueError: for a key of the backbone, or beside a classifier's, that is of neither.
    """
    backbone = backbone_rules(state)
    if 'head.fc.weight' in state:  # a classifier's, whose last output norm is that before the head
        return convert_keys(state, reverse((*prefix(backbone, '', _BACKBONE), *_CLASSIFIER)))
    backbone = (*backbone, *_OUT_NORMS)
    inside, rest = _of_backbone(state)
    if inside:
        return convert_keys(inside, reverse(prefix(backbone, _BACKBONE, _BACKBONE))) | rest
    return convert_keys(state, reverse(backbone))


def _of_backbone(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What stands below ``backbone.``, and the rest."""
    inside = {key: value for key, value in state.items() if key.startswith(_BACKBONE)}
    return inside, {key: value for key, value in state.items() if key not in inside}


def _flat(key: str, value: Tensor) -> Tensor:
    """A matrix, where a linear layer is spelt as a convolution of kernel 1."""
    if key.endswith(_LINEAR) and getattr(value, 'ndim', 2) == 4:
        return value.flatten(1)
    return value


def load_pretrained(backbone: nn.Module, file: PretrainedFile) -> None:
    """Load published or own VMamba weights into a backbone, alone or of a whole model.

    Other parts of a whole model are left out, and said so; so are output norms that this backbone
    does not have. Its own come from the file where that has all of them, as a detector's and a
    segmentor's do; else they keep their initialisation.

    Args:
        backbone: a :class:`VMamba`.
        file: of which weights; a ``prefix`` takes the keys that begin with it.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a key nothing explains, or one of patch embedding, stages or downsamplings
            that is missing or of another shape, or when no key begins with the prefix.
    """
    state = file.read()
    if is_official(state):
        state = from_official(state)
    inside, _ = _of_backbone(state)
    found = {key.removeprefix(_BACKBONE): value for key, value in (inside or state).items()}
    own = backbone.state_dict()
    norms = {key for key in own if key.startswith('out_norms.')}
    taken = norms if norms <= found.keys() else set()
    weights = {k: v for k, v in found.items() if k in taken or not k.startswith('out_norms.')}
    wanted = {key: own[key] for key in own if key not in norms - taken}
    if mismatch := differences(wanted, weights):
        raise ValueError(f'{file.checkpoint} does not fit this backbone:\n{mismatch}')
    backbone.load_state_dict(weights, strict=False)
    names = [key.removeprefix(_BACKBONE) for key in state]
    dropped = sorted({name.split('.')[0] for name in names if name not in weights})
    kept = sorted({key.split('.')[0] for key in own if key not in weights})
    print_log(
        f'Loaded {len(weights)} tensors from {file.checkpoint}; left out {dropped or "nothing"}; '
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
