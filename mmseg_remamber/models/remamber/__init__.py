# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""ReMamber: fusion stages, heads and weights ("ReMamber: Referring Image Segmentation with Mamba
Twister")."""

from . import weights  # noqa: F401  registers the family
from .attention import AttentionFusion
from .conv_head import ReMamberConvHead
from .correlation import GlobalText, LocalText
from .in_context import InContextFusion
from .mamba_head import ReMamberMambaHead
from .norm import NormFusion
from .twister import Twister, TwisterBlock
from .twister_fusion import TwisterFusion

__all__ = [
    'AttentionFusion',
    'GlobalText',
    'InContextFusion',
    'LocalText',
    'NormFusion',
    'ReMamberConvHead',
    'ReMamberMambaHead',
    'Twister',
    'TwisterBlock',
    'TwisterFusion',
]
