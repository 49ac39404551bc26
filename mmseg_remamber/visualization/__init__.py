# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of masks, and figures.

Importing this room does not import matplotlib. Modules that are all about its figures (browse,
comparison, curves, gallery, maps, statistics) do, and are imported by who draws them.
"""

from mmseg_remamber.openmmlab import require

require('mmengine', 'mmcv', 'mmseg')

from .painting import greyed, overlay, paint_errors
from .prediction import Prediction, to_prediction
from .referred import draw_caption, draw_errors, draw_masks
from .visualizer import RefSegVisualizer

__all__ = [
    'Prediction',
    'RefSegVisualizer',
    'draw_caption',
    'draw_errors',
    'draw_masks',
    'greyed',
    'overlay',
    'paint_errors',
    'to_prediction',
]
