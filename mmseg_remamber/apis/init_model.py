# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A model from its config, ready to predict."""

import warnings
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmseg.registry import MODELS
from torch import nn

from .config import load_config
from .runner import explain_mismatch


def init_model(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: dict | None = None,
) -> nn.Module:
    """Build a segmentor and load its weights.

    Args:
        config: path of a config, or the config.
        checkpoint: path or URL of weights in this project's keys; None leaves the model at its
            initialisation and warns, since its masks then mean nothing.
        device: where the model goes.
        cfg_options: overrides with dotted keys, as in :func:`load_config`.

    Returns:
        The model in evaluation mode, with its config as ``model.cfg``.

    Raises:
        FileNotFoundError, KeyError: as :func:`load_config`, or for a missing checkpoint.
        ValueError: when the checkpoint is of another model.
    """
    cfg = load_config(config, cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = MODELS.build(cfg.model)
    if checkpoint is None:
        warnings.warn('no checkpoint given: the weights are untrained', stacklevel=2)
        model.init_weights()
    else:
        with explain_mismatch(str(checkpoint)):
            load_checkpoint(model, str(checkpoint), map_location='cpu', strict=True)
    model.cfg = cfg
    return model.to(device).eval()
