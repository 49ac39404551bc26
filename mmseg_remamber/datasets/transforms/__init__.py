# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Steps from an entry of a referring dataset to the model's input."""

from .augmentation import RandomRefFlip, RefLargeScaleJitter
from .formatting import PackRefSegInputs
from .loading import LoadRefImage, LoadRefMask
from .text import ChooseSentence, TokenizeText

__all__ = [
    'ChooseSentence',
    'LoadRefImage',
    'LoadRefMask',
    'PackRefSegInputs',
    'RandomRefFlip',
    'RefLargeScaleJitter',
    'TokenizeText',
]
