# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .browse import FedSample, draw_fed_sample
from .gallery import Prediction, draw_gallery, overlay, to_prediction
from .referred import draw_caption, draw_errors, draw_masks
from .statistics import draw_statistics
from .visualizer import RefSegVisualizer

__all__ = [
    'FedSample',
    'Prediction',
    'RefSegVisualizer',
    'draw_caption',
    'draw_errors',
    'draw_fed_sample',
    'draw_gallery',
    'draw_masks',
    'draw_statistics',
    'overlay',
    'to_prediction',
]
