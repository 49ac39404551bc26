# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A model from its config or its checkpoint, ready to predict."""

import logging
import warnings
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner.checkpoint import load_state_dict
from mmengine.utils import import_modules_from_strings
from mmseg.models.segmentors import BaseSegmentor
from torch import nn

from mmseg_remamber.checkpoints import read_checkpoint, weights_of
from mmseg_remamber.configuration import config_of, load_config
from mmseg_remamber.datasets.origin import Origin, read_origin
from mmseg_remamber.models.build import build_model
from mmseg_remamber.models.fits import check_fits


def init_model(
    config: str | Path | Config | None = None,
    checkpoint: str | Path | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: dict | None = None,
) -> BaseSegmentor:
    """Build a segmentor and load its weights.

    Args:
        config: path of a config, or the config; None takes the one in the checkpoint, where
            training and ``tools/misc/publish_model.py`` put it.
        checkpoint: torch or ``.safetensors`` file, or URL of a torch file, of weights in this
            project's keys, read as data only; None leaves the model at its initialisation and
            warns, since its masks then mean nothing.
        device: where the model goes.
        cfg_options: overrides with dotted keys, as in :func:`load_config`.

    Returns:
        The model in evaluation mode, with its config as ``model.cfg`` and, where the checkpoint
        has it, the metainfo of its training dataset as ``model.dataset_meta``.

    Raises:
        FileNotFoundError, KeyError: as :func:`load_config`, or for a missing checkpoint.
        ValueError: when the checkpoint is of another model, which is then identified; when it has
            no config and none is given, or neither is given; when the config is no Python or has no
            model.
    """
    loaded = None if checkpoint is None else read_checkpoint(checkpoint)
    if config is not None:
        cfg = load_config(config, cfg_options)
    elif loaded is not None:
        embedded = config_of(loaded, str(checkpoint))
        import_modules_from_strings(**embedded.get('custom_imports', dict(imports=[])))
        cfg = load_config(embedded, cfg_options)
    else:
        raise ValueError('config and checkpoint must not both be None')
    if 'model' not in cfg:
        raise ValueError(f'config {cfg.filename or "given"!r} has no model')
    model = build_model(cfg)
    if loaded is None:
        warnings.warn('no checkpoint given: the weights are untrained', stacklevel=2)
        # mmengine logs each parameter where there is no log file
        logger = MMLogger.get_current_instance()
        level = logger.level
        logger.setLevel(logging.WARNING)
        try:
            model.init_weights()
        finally:
            logger.setLevel(level)
    else:
        state = weights_of(loaded)
        check_fits(model, state, str(checkpoint))
        load_state_dict(model, state, strict=True)
        if 'dataset_meta' in loaded.get('meta', {}):
            model.dataset_meta = loaded['meta']['dataset_meta']
    return model.to(device)


def origin_of_model(model: nn.Module) -> Origin | None:
    """What a model was trained on; None where its checkpoint does not record it.

    Raises:
        ValueError: when what is recorded is no origin.
    """
    return read_origin(getattr(model, 'dataset_meta', None))
