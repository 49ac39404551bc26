# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published Swin weights: key names, order of channels, tables of position biases."""

from collections.abc import Mapping

import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from mmseg_remamber.checkpoints import (
    PretrainedFile,
    Rule,
    convert_keys,
    differences,
    reverse,
)

_BLOCK, _OUR_BLOCK = 'layers.{i}.blocks.{j}', 'stages.{i}.blocks.{j}'
_RULES: tuple[Rule, ...] = (
    ('patch_embed.proj.{affine}', 'patch_embed.projection.{affine}'),
    ('patch_embed.norm.{affine}', 'patch_embed.norm.{affine}'),
    (_BLOCK + '.norm1.{affine}', _OUR_BLOCK + '.norm1.{affine}'),
    (_BLOCK + '.norm2.{affine}', _OUR_BLOCK + '.norm2.{affine}'),
    (_BLOCK + '.attn.qkv.{affine}', _OUR_BLOCK + '.attn.w_msa.qkv.{affine}'),
    (_BLOCK + '.attn.proj.{affine}', _OUR_BLOCK + '.attn.w_msa.proj.{affine}'),
    *(
        (f'{_BLOCK}.attn.{name}', f'{_OUR_BLOCK}.attn.w_msa.{name}')
        for name in ('relative_position_bias_table', 'relative_position_index')
    ),
    (_BLOCK + '.mlp.fc1.{affine}', _OUR_BLOCK + '.ffn.layers.0.0.{affine}'),
    (_BLOCK + '.mlp.fc2.{affine}', _OUR_BLOCK + '.ffn.layers.1.{affine}'),
    ('layers.{i}.downsample.norm.{affine}', 'stages.{i}.downsample.norm.{affine}'),
    ('layers.{i}.downsample.reduction.weight', 'stages.{i}.downsample.reduction.weight'),
)
# what the file of a classifier has beside the trunk
_NOT_OF_THE_TRUNK = ('norm.', 'head.')
_TABLE = 'relative_position_bias_table'
_PARTS = ('blocks', 'downsample')


def is_trunk_key(key: str) -> bool:
    """Whether a published key, without prefix, is of the trunk alone."""
    parts = key.split('.')
    return parts[0] == 'patch_embed' or (parts[0] == 'layers' and parts[2] in _PARTS)


def trunk_from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published Swin keys -> those of :class:`SwinTrunk`.

    Patch merging concatenates four positions in Swin's program, and takes them channel by channel
    here: its norm and its columns are put into that order.

    Raises:
        ValueError: for a key that nothing explains.
    """
    return _reordered(convert_keys(state, _RULES), to_official=False)


def trunk_to_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of :class:`SwinTrunk` -> the published ones.

    Raises:
        ValueError: for a key that nothing explains.
    """
    return convert_keys(_reordered(dict(state), to_official=True), reverse(_RULES))


def _reordered(state: dict[str, Tensor], *, to_official: bool) -> dict[str, Tensor]:
    """The channels of patch merging in the other program's order.

    Swin's program: channels of (0, 0), then of (1, 0), (0, 1), (1, 1), (row, column). Here: of each
    channel (0, 0), (0, 1), (1, 0), (1, 1).
    """
    for key, value in state.items():
        if '.downsample.' in key:
            width = value.shape[-1] // 4
            # places 1 and 2 change with each other
            if to_official:
                parts = value.unflatten(-1, (width, 4))[..., [0, 2, 1, 3]].transpose(-2, -1)
            else:
                parts = value.unflatten(-1, (4, width))[..., [0, 2, 1, 3], :].transpose(-2, -1)
            state[key] = parts.flatten(-2).contiguous()
    return state


def load_pretrained(trunk: nn.Module, file: PretrainedFile) -> None:
    """Load weights into a trunk.

    Args:
        trunk: a :class:`SwinTrunk`.
        file: of which weights.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a key that nothing explains, or one that is missing or of another shape, or
            when no key begins with the file's prefix.
    """
    state = file.read()
    own = trunk.state_dict()
    dropped = sorted(
        key
        for key in state
        if key.startswith(_NOT_OF_THE_TRUNK)
        or key.endswith(('.attn_mask', '.relative_position_index'))
    )
    state = {key: value for key, value in state.items() if key not in dropped}
    if any(key.startswith('layers.') for key in state):
        state = trunk_from_official(state)
    state |= {key: value for key, value in own.items() if key.endswith('relative_position_index')}
    resized = []
    for key, value in state.items():
        if key.endswith(_TABLE) and key in own and len(value) != len(own[key]):
            state[key] = resize_table(value, len(own[key]))
            resized.append(key)
    if mismatch := differences(own, state):
        raise ValueError(f'{file.checkpoint} does not fit this trunk:\n{mismatch}')
    trunk.load_state_dict(state)
    print_log(
        f'Loaded {len(state)} tensors from {file.checkpoint}; left out {len(dropped)} '
        f'({", ".join(sorted({key.split(".")[-1] for key in dropped})) or "nothing"}); '
        f'{len(resized)} tables of position biases resized',
        logger='current',
    )


def resize_table(table: Tensor, length: int) -> Tensor:
    """Position biases of another window, bicubically. table: (N, heads) float -> (length, heads).

    Raises:
        ValueError: for a table that is no square of offsets.
    """
    old, new = round(len(table) ** 0.5), round(length**0.5)
    if old * old != len(table):
        raise ValueError(f'{_TABLE} must be of a square of offsets, got {len(table)} rows')
    square = table.T.reshape(1, -1, old, old)
    square = F.interpolate(square, (new, new), mode='bicubic', align_corners=False)
    return square.flatten(2)[0].T.contiguous()
