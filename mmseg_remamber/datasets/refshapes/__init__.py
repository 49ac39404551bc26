# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""RefShapes: a synthetic referring segmentation dataset in the REFER layout."""

from .language import Phrase, expressions_for
from .layout import SPLITS, write_refshapes
from .scenes import COLOURS, SHAPES, TEXTURES, UNSEEN, Scene, SceneObject, draw_scene

__all__ = [
    'COLOURS',
    'SHAPES',
    'SPLITS',
    'TEXTURES',
    'UNSEEN',
    'Phrase',
    'Scene',
    'SceneObject',
    'draw_scene',
    'expressions_for',
    'write_refshapes',
]
