# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Small models to export, and what to run the exported ones on."""

from pathlib import Path

import numpy as np
import pytest
import tiny_model
import torch
from tokenizers import Tokenizer
from torch import nn

from mmseg_remamber.apis import init_model
from mmseg_remamber.apis.query import PreparedPicture, Query

TEXTS = ('the red circle', 'left ' * 40, 'naïve 圆 🙂')


def model_of(config: Path, seed: int = 0) -> nn.Module:
    """A shallow model of a config, its weights random."""
    torch.manual_seed(seed)
    with pytest.warns(UserWarning, match='untrained'):
        return init_model(config, cfg_options=tiny_model.SHALLOW)


def noise(height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)


def prepared(model: nn.Module, height: int, width: int) -> PreparedPicture:
    """Noise as the model takes it, at its own size."""
    return Query(model, img_size=(width, height)).picture(noise(height, width))


def ids_of(folder: Path) -> np.ndarray:
    """Token ids of the texts, (B, T) int64, by the tokenizer that was exported to a folder.

    Of a sentence that is cut without an end, the tokenizer gives one id more than the model takes.
    """
    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    return np.array([tokenizer.encode(text).ids[:20] for text in TEXTS])
