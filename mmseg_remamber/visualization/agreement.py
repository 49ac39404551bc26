# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Truth and prediction in one picture."""

import numpy as np

from .gallery import Prediction
from .palette import FOUND_COLOUR, MISSED_COLOUR, WRONG_COLOUR

AGREEMENT_COLOURS = dict(found=FOUND_COLOUR, missed=MISSED_COLOUR, wrong=WRONG_COLOUR)


def draw_agreement(item: Prediction, opacity: float = 0.6) -> np.ndarray:
    """What is found, missed, and found but not meant, tinted on the greyed picture.

    -> (H, W, 3) uint8 RGB
    """
    grey = item.image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    areas = dict(
        found=item.truth & item.prediction,
        missed=item.truth & ~item.prediction,
        wrong=~item.truth & item.prediction,
    )
    for name, area in areas.items():
        grey[area] = (1 - opacity) * grey[area] + opacity * np.asarray(AGREEMENT_COLOURS[name])
    return grey.round().astype(np.uint8)
