# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .browse import FedSample, draw_fed_sample
from .gallery import Prediction, draw_gallery, overlay
from .statistics import draw_statistics

__all__ = [
    'FedSample',
    'Prediction',
    'draw_fed_sample',
    'draw_gallery',
    'draw_statistics',
    'overlay',
]
