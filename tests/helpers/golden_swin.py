# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The models of the golden files of LAVT and LGFormer, which have a Swin trunk and BERT."""

from contextlib import nullcontext

import golden
import torch
from mmseg.registry import MODELS

from mmseg_remamber import fast
from mmseg_remamber.checkpoints import weight_family

TRUNKS = dict(
    small=dict(dim=16, depths=(2, 2, 3, 2), num_heads=(2, 4, 4, 8)),
    base=dict(dim=128, depths=(2, 2, 18, 2), num_heads=(4, 8, 16, 32), window_size=12),
)
WINDOWS = dict(lavt=4, lgformer=7)
TEXTS = dict(small=dict(layers=2, ffn_dim=128, vocab_size=200), base=dict())
FUSIONS = dict(lavt='LAVTFusion', lgformer='LGFormerFusion')


ONE_HEAD = (1, 1, 1, 1)
#: Golden files of the small models, by what follows the name, with the heads of their fusions.
FILES = [
    ('64x64', ONE_HEAD),
    ('61x93', ONE_HEAD),
    ('96x64', ONE_HEAD),
    ('50x75', ONE_HEAD),
    ('mha_64x96', (2, 4, 4, 8)),
]
#: How a model computes: as a CPU does it fastest, and as its paper has it.
MODES = (nullcontext, fast.disabled)


def model_config(family: str, size: str, heads=ONE_HEAD) -> dict:
    """Config of a segmentor. family: lavt or lgformer; size: small or base; heads: of fusions."""
    trunk = dict(type='SwinTrunk', **TRUNKS[size])
    trunk.setdefault('window_size', WINDOWS[family])
    channels = [trunk['dim'] * 2**i for i in range(4)]
    text = dict(text_dim=768, num_tokens=20)
    decoders = dict(
        lavt=dict(
            type='LAVTHead',
            channels=channels[2],
            losses=[dict(type='CrossEntropyLoss', class_weight=[0.9, 1.1])],
        ),
        lgformer=dict(
            type='LGFormerHead',
            **text,
            losses=[
                dict(
                    type='CrossEntropyLoss',
                    use_sigmoid=True,
                    avg_non_ignore=True,
                    class_weight=[1.1],
                )
            ],
            auxiliary_weights=[1.0] * 6,
        ),
    )
    return dict(
        type='ReferringSegmentor',
        text_encoder=dict(type='BERTSentenceEncoder', **TEXTS[size]),
        backbone=dict(
            type='StagewiseFusion',
            image=trunk,
            fusion=[dict(type=FUSIONS[family], heads=number) for number in heads],
            **text,
        ),
        decode_head=dict(decoders[family], in_channels=channels),
    )


def build(family: str, size: str, heads=ONE_HEAD) -> torch.nn.Module:
    """The segmentor with the weights of its golden files, in evaluation mode."""
    model = MODELS.build(model_config(family, size, heads))
    state = weight_family(family).from_official(golden.weights(f'{family}_{size}'))
    model.load_state_dict(state, strict=True)
    return model.eval()


def gradients(family: str, model: torch.nn.Module) -> dict[str, torch.Tensor | None]:
    """Gradients of a model by the authors' names; None where there is none."""
    found = {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in model.named_parameters()
    }
    official = weight_family(family).to_official(found)
    none = {name for name, p in model.named_parameters() if p.grad is None}
    marked = weight_family(family).to_official(
        {name: torch.full_like(grad, name in none) for name, grad in found.items()}
    )
    return {name: None if marked[name].any() else grad for name, grad in official.items()}
