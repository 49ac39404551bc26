# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Golden files: weights, inputs and outputs that the published programs produced in float32."""

import json
from pathlib import Path

import numpy as np
import torch
from golden_fill import fill
from mmseg.registry import MODELS

FOLDER = Path(__file__).parents[1] / 'data' / 'golden'

SMALL_ARCH = dict(
    dim=16, depths=(1, 1, 2, 1), state_dim=1, ssm_ratio=2.0, gated=False, conv_bias=False,
    mlp_ratio=4.0, patch_embed='v2', downsample='v3', drop_path_rate=0.0,
)  # fmt: skip
TEXT = dict(
    small=dict(layers=1, ffn_dim=128, vocab_size=200, eos_id=199),
    base=dict(),
)


def _path(name: str) -> Path:
    """Path of a golden file, which stands in the folder of its family."""
    return FOLDER / name.split('_')[0] / name


def grads(name: str) -> dict:
    """Losses and gradient norms, by file name without suffix."""
    return json.loads(_path(f'{name}.grads.json').read_text())


def weights(name: str, salt: str = '') -> dict[str, torch.Tensor]:
    """State dict in the authors' spelling, by the name of its key list."""
    return fill(json.loads(_path(f'{name}.keys.json').read_text()), salt)


def arrays(name: str) -> dict[str, torch.Tensor]:
    """Inputs and outputs, by file name without suffix."""
    with np.load(_path(f'{name}.npz')) as file:
        return {key: torch.from_numpy(file[key]) for key in file}


def relative(got: torch.Tensor, want: torch.Tensor) -> float:
    """Norm of the difference over the norm."""
    assert got.shape == want.shape, (got.shape, want.shape)
    return float((got.double() - want.double()).norm() / want.double().norm())


def model_config(head: str, size: str) -> dict:
    """Config of the segmentor of a golden file. head: conv or mamba; size: small or base."""
    dim = {'small': 16, 'base': 128}[size]
    text = dict(text_dim=768, num_tokens=20)
    channels = [dim, 2 * dim, 4 * dim, 8 * dim]
    heads = dict(
        conv=dict(type='ReMamberConvHead', in_channels=channels, channels=4 * dim),
        mamba=dict(type='ReMamberMambaHead', in_channels=channels, **text),
    )
    return dict(
        type='ReferringSegmentor',
        text_encoder=dict(type='CLIPSentenceEncoder', **TEXT[size]),
        backbone=dict(
            type='StagewiseFusion',
            image=dict(
                type='VMamba',
                arch=SMALL_ARCH if size == 'small' else 'base-s2l15',
                out_indices=(),
            ),
            fusion=dict(type='TwisterFusion'),
            **text,
        ),
        decode_head=dict(
            heads[head],
            losses=[
                dict(type='BinaryDiceLoss'),
                dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
            ],
        ),
    )


def build(head: str, size: str) -> torch.nn.Module:
    """The segmentor of a golden file with its weights, in evaluation mode."""
    from mmseg_remamber.models.remamber.weights import from_official

    model = MODELS.build(model_config(head, size))
    model.load_state_dict(from_official(weights(f'remamber_{head}_{size}')), strict=True)
    return model.eval()
