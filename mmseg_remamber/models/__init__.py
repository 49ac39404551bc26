# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Models, registered in mmseg's registry on import: what they have in common. A family is a folder
in here, which :mod:`mmseg_remamber.register` imports."""

from mmseg_remamber.openmmlab import load_mmseg

load_mmseg()

from .heads import MaskHead
from .losses import BinaryDiceLoss, TwoClassDiceLoss
from .segmentor import ReferringSegmentor
from .staged import Fused, StagedTrunk, StageFusion, StagewiseFusion

__all__ = [
    'BinaryDiceLoss',
    'Fused',
    'MaskHead',
    'ReferringSegmentor',
    'StageFusion',
    'StagedTrunk',
    'StagewiseFusion',
    'TwoClassDiceLoss',
]
