# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Small models of every family, from the family's own configs."""

from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model
from mmseg_remamber.vmamba.backbone import resolve_arch

CONFIGS = Path(__file__).parents[2] / 'configs'
#: Of each design, its mini model on scenes.
MINI = {
    'remamber-conv': CONFIGS / 'remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py',
    'remamber-mamba': CONFIGS
    / 'remamber/remamber-mamba_vmamba-mini_1xb48-1200i_refshapes-80x80.py',
    'lavt': CONFIGS / 'lavt/lavt_swin-mini_1xb48-1200i_refshapes-80x80.py',
    'lgformer': CONFIGS / 'lgformer/lgformer_swin-mini_1xb48-1200i_refshapes-80x80.py',
}
WIDTH, TEXT_WIDTH = 8, 16


def thin(cfg: Config) -> Config:
    """The mini model of any family with one block a stage and thin layers, in place."""
    model = cfg.model
    model.text_encoder.update(layers=1, width=TEXT_WIDTH)
    model.backbone.text_dim = TEXT_WIDTH
    model.decode_head.in_channels = [WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH]
    if model.backbone.image.type == 'SwinTrunk':
        model.backbone.image.update(
            dim=WIDTH, depths=(1, 2, 1, 1), num_heads=(1, 2, 4, 8), drop_path_rate=0.5
        )
    else:
        model.backbone.image.arch.update(dim=WIDTH, depths=(1, 1, 1, 1), drop_path_rate=0.5)
        model.backbone.fusion.update(hidden_dim=TEXT_WIDTH)
    if model.decode_head.type == 'LGFormerHead':
        model.decode_head.update(text_dim=TEXT_WIDTH, rounds=1, ffn_dim=32, attn_ffn_dim=32)
    else:
        model.decode_head.channels = WIDTH
    return cfg


def without_drop_path(cfg: Config) -> Config:
    """The same without randomness in training, in place."""
    image = cfg.model.backbone.image
    (image if image.type == 'SwinTrunk' else image.arch).drop_path_rate = 0.0
    return cfg


def write_checkpoint(design: str, path: Path, scenes: Path) -> Path:
    """Random weights of a thin model and its config, which a test set of scenes goes with."""
    cfg = thin(load_config(MINI[design]))
    cfg.test_dataloader.dataset.data_root = str(scenes)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False, batch_size=4)
    torch.manual_seed(0)
    state = build_model(cfg).state_dict()
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=state), path)
    return path


def reduced(path: Path, vocabulary: Path | None = None) -> Config:
    """A published Swin model with few and thin layers.

    ``vocabulary`` is a file of WordPiece's pieces; without it there are 40, and no tokenizer.
    """
    cfg = load_config(path)
    model = cfg.model
    size = len(vocabulary.read_text().splitlines()) if vocabulary else 40
    model.text_encoder.update(width=32, heads=2, vocab_size=size, max_positions=20, pretrained=None)
    model.backbone.image.update(dim=16, depths=(1, 2, 1, 1), num_heads=(1, 2, 4, 8), init_cfg=None)
    model.backbone.text_dim = 32
    model.decode_head.in_channels = [16, 32, 64, 128]
    if model.decode_head.type == 'LAVTHead':
        model.decode_head.channels = 16
    else:
        model.decode_head.update(text_dim=32, channels=32, ffn_dim=32, attn_ffn_dim=32)
    if vocabulary:
        for mode in ('train', 'val', 'test'):
            for step in cfg[f'{mode}_dataloader'].dataset.pipeline:
                if step.type == 'TokenizeText':
                    step.tokenizer = str(vocabulary)
    return cfg


def thin_vmamba(backbone: ConfigDict) -> None:
    """A VMamba of the same variant with 16 channels and a block or two a stage, in place."""
    backbone.arch = {**resolve_arch(backbone.arch), 'dim': 16, 'depths': (1, 1, 2, 1)}
    backbone.init_cfg = None


def thin_detector(model: ConfigDict, classes: int) -> None:
    """A Mask R-CNN on VMamba with layers of 16 channels, in place."""
    thin_vmamba(model.backbone)
    model.neck.update(in_channels=[16, 32, 64, 128], out_channels=16)
    model.rpn_head.update(in_channels=16, feat_channels=16)
    roi = model.roi_head
    roi.bbox_roi_extractor.out_channels = roi.mask_roi_extractor.out_channels = 16
    roi.bbox_head.update(in_channels=16, fc_out_channels=32, num_classes=classes)
    roi.mask_head.update(in_channels=16, conv_out_channels=16, num_classes=classes)


def weight_decays(cfg: Config, model: nn.Module) -> dict[str, float]:
    """What the config's optimiser does to each parameter that it trains, by name."""
    wrapper = build_optim_wrapper(model, dict(cfg.optim_wrapper, type='OptimWrapper'))
    groups = wrapper.optimizer.param_groups
    of = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    return {name: of[id(p)] for name, p in model.named_parameters() if id(p) in of}
