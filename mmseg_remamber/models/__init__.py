# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Models, registered in mmseg's registry on import."""

from .backbones import ReMamber
from .decode_heads import ReMamberConvHead, ReMamberMambaHead
from .fusion import AttentionFusion, InContextFusion, NormFusion, TwisterFusion
from .losses import BinaryDiceLoss
from .necks import CLIPSentenceEncoder
from .segmentors import ReferringSegmentor

__all__ = [
    'AttentionFusion',
    'BinaryDiceLoss',
    'CLIPSentenceEncoder',
    'InContextFusion',
    'NormFusion',
    'ReMamber',
    'ReMamberConvHead',
    'ReMamberMambaHead',
    'ReferringSegmentor',
    'TwisterFusion',
]
