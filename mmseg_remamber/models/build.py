# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A model of its config alone, its weights random or none."""

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import MODELS


def build_model(cfg: Config, device: str | torch.device = 'cpu') -> BaseSegmentor:
    """The model of a config as its constructor leaves it, in evaluation mode, with its config as
    ``model.cfg``; its weights are random, and cost as much as trained ones.

    As mmengine's runner does, it gives a model without data preprocessor that of the config.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    described = cfg.model
    if cfg.get('data_preprocessor') is not None:
        described = {'data_preprocessor': cfg.data_preprocessor, **described}
    model = MODELS.build(described).to(device).eval()
    model.cfg = cfg
    return model


def build_on_meta(cfg: Config) -> BaseSegmentor:
    """The same without memory for its weights (torch's meta device)."""
    with torch.device('meta'):
        return build_model(cfg, 'meta')
