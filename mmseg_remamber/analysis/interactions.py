# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Interaction maps as a picture and as numbers (ReMamber, Fig. 4)."""

from pathlib import Path

import numpy as np
from torch import nn

from mmseg_remamber.visualization.maps import draw_word_maps

from .maps import Batch, interaction_maps
from .samples import words_of


def stage_of(name: str) -> str:
    """Dotted name of a module in the backbone -> name for people.

    The first number counts stages, and one after ``blocks`` blocks.
    """
    parts = name.split('.')
    text = f'stage {int(next(filter(str.isdigit, parts))) + 1}'
    if 'blocks' in parts:
        text += f', block {int(parts[parts.index("blocks") + 1]) + 1}'
    return text


def draw_interactions(
    model: nn.Module, batch: Batch, image: np.ndarray, sentence: str, path: str | Path
) -> dict:
    """Draw what each place of each stage's map has to do with each word.

    Args:
        model: a segmentor in evaluation mode.
        batch: one picture and sentence, what the model's data preprocessor gave.
        image: the picture as the model sees it, (H, W, 3) uint8 RGB.
        sentence: the sentence of the batch.
        path: PNG to write.

    Returns:
        The numbers behind it: ``words``, ``what`` is drawn, and ``stages``, each with its name and
        a map of each word.

    Raises:
        ValueError: as :func:`interaction_maps`.
    """
    words = words_of(model, sentence)
    maps = interaction_maps(model, batch)
    what = 'response to the word'
    stages = [
        (stage_of(name), found[0, :, :, : len(words)].numpy()) for name, found in maps.items()
    ]
    draw_word_maps(image, words, stages, path, text=sentence, what=what)
    return dict(
        words=words,
        what=what,
        stages=[
            dict(stage=name, maps=[np.round(found[..., i], 5).tolist() for i in range(len(words))])
            for name, found in stages
        ],
    )
