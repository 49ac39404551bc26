# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published VMamba weights: key names and strict loading."""

import re

from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

# (published name, our name); the first releases of vanilla VMamba have the second spelling of some
_RULES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r'patch_embed\.(?:0|proj)\.(\w+)', r'patch_embed.proj1.\1'),
        (r'patch_embed\.(?:2|norm)\.(\w+)', r'patch_embed.norm1.\1'),
        (r'patch_embed\.5\.(\w+)', r'patch_embed.proj2.\1'),
        (r'patch_embed\.7\.(\w+)', r'patch_embed.norm2.\1'),
        (r'layers\.(\d+)\.blocks\.(\d+)\.(?:norm|ln_1)\.(\w+)', r'stages.\1.\2.norm.\3'),
        (r'layers\.(\d+)\.blocks\.(\d+)\.(?:op|self_attention)\.(.+)', r'stages.\1.\2.op.\3'),
        (r'layers\.(\d+)\.blocks\.(\d+)\.(norm2|mlp\.fc[12])\.(\w+)', r'stages.\1.\2.\3.\4'),
        (r'layers\.(\d+)\.downsample\.1\.(\w+)', r'downsamples.\1.conv.\2'),
        (r'layers\.(\d+)\.downsample\.3\.(\w+)', r'downsamples.\1.norm.\2'),
        (r'layers\.(\d+)\.downsample\.(norm|reduction)\.(\w+)', r'downsamples.\1.\2.\3'),
        (r'outnorm(\d+)\.(\w+)', r'out_norms.\1.\2'),
        (r'(?:classifier\.)?(norm|head)\.(\w+)', r'classifier.\1.\2'),
    )
)


def convert_keys(state: dict[str, Tensor], rules: tuple[tuple[re.Pattern, str], ...]) -> dict:
    """Rename every key by the one rule that matches it whole.

    Raises:
        ValueError: for keys that no rule explains, or two keys that become one.
    """
    converted, unexplained = {}, []
    for key, value in state.items():
        names = [m.expand(name) for rule, name in rules if (m := rule.fullmatch(key))]
        if len(names) != 1:
            unexplained.append(key)
        elif names[0] in converted:
            raise ValueError(f'two keys become {names[0]!r}; the second is {key!r}')
        else:
            converted[names[0]] = value
    if unexplained:
        raise ValueError(f'{len(unexplained)} keys of another model: {unexplained[:5]}')
    return converted


def is_official(state: dict[str, Tensor]) -> bool:
    """Whether the keys are in the published spelling."""
    return any(key.startswith('layers.') for key in state)


def from_official(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Published VMamba keys -> ours; the classifier's become ``classifier.norm`` and ``.head``.

    Raises:
        ValueError: for a key that is not of a published VMamba.
    """
    converted = convert_keys(state, _RULES)
    if 'patch_embed.proj2.weight' not in converted:  # v1 has one projection and no number
        return {re.sub(r'^(patch_embed\.\w+?)1\.', r'\1.', k): v for k, v in converted.items()}
    return converted


def unwrap_checkpoint(checkpoint: dict) -> dict[str, Tensor]:
    """The weights of a checkpoint file: under ``model``, ``state_dict`` or at the top."""
    for key in ('model', 'state_dict'):
        if isinstance(checkpoint.get(key), dict):
            return checkpoint[key]
    return checkpoint


def load_pretrained(backbone: nn.Module, path: str) -> None:
    """Load published or own VMamba weights into a backbone, or a model derived from it.

    The classifier is left out, and said so. Modules that the checkpoint cannot know (output norms
    and what a derived backbone adds) keep their initialisation.

    Args:
        backbone: a :class:`VMamba` or a subclass.
        path: file path or URL, as mmengine's loader takes it.

    Raises:
        ValueError: for a key nothing explains, or one of patch embedding, stages or downsamplings
            that is missing or of another shape.
    """
    state = unwrap_checkpoint(CheckpointLoader.load_checkpoint(path, map_location='cpu'))
    if is_official(state):
        state = from_official(state)
    else:
        state = {key.removeprefix('backbone.'): value for key, value in state.items()}
    dropped = [key for key in state if key.startswith(('classifier.', 'norm.', 'head.'))]
    state = {key: value for key, value in state.items() if key not in dropped}
    own = backbone.state_dict()
    core = [key for key in own if key.startswith(('patch_embed.', 'stages.', 'downsamples.'))]
    missing = [key for key in core if key not in state]
    unexpected = [key for key in state if key not in own]
    reshaped = [
        f'{key}: {tuple(state[key].shape)} in the file, {tuple(own[key].shape)} in the model'
        for key in state
        if key in own and state[key].shape != own[key].shape
    ]
    if missing or unexpected or reshaped:
        raise ValueError(
            f'{path} does not fit this backbone: {len(missing)} missing {missing[:3]}, '
            f'{len(unexpected)} unexpected {unexpected[:3]}, '
            f'{len(reshaped)} of another shape {reshaped[:3]}'
        )
    backbone.load_state_dict(state, strict=False)
    kept = sorted({key.split('.')[0] for key in own if key not in state})
    print_log(
        f'Loaded {len(state)} tensors from {path}; left out {dropped or "nothing"}; '
        f'not in the file, initialised at random: {kept or "nothing"}',
        logger='current',
    )
