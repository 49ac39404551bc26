# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as training leaves it, of the quickstart's model with random weights."""

from pathlib import Path

import torch

from mmseg_remamber.configuration import load_config
from mmseg_remamber.datasets.refshapes import write_refshapes

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
#: Overrides of it, for tests of what grows with a model's depth: a second layer of a kind has
#: nothing that the first does not have.
SHALLOW = {'model.backbone.image.arch.depths': (1, 1, 1, 1), 'model.text_encoder.layers': 1}


def write_scenes(folder: Path) -> Path:
    """A RefShapes of a few scenes, and the folder itself."""
    write_refshapes(folder, dict(train=2, val=4, test=2, testC=2), size=64, seed=3)
    return folder


def write_checkpoint(path: Path, scenes: Path) -> Path:
    """Random weights whose masks are neither empty nor full, and their config."""
    from mmseg.registry import MODELS

    options = {
        f'{mode}_dataloader.dataset.data_root': str(scenes) for mode in ('train', 'val', 'test')
    }
    cfg = load_config(CONFIG, options)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    image = torch.randn(1, 3, 80, 80)
    ids = torch.full((1, 20), 49407)
    ids[0, :3] = torch.tensor([49406, 736, 5353])
    with torch.no_grad():
        logits = model.logits(image, ids, torch.arange(20)[None] < 4)
        model.decode_head.conv_seg.bias -= logits.median()
        model.decode_head.conv_seg.weight /= logits.std()
        model.decode_head.conv_seg.bias /= logits.std()
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=model.state_dict()), path)
    return path
