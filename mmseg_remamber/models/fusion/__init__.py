# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .attention import AttentionFusion
from .correlation import GlobalText, LocalText
from .in_context import InContextFusion
from .norm import NormFusion
from .stage import TwisterFusion
from .twister import Twister, TwisterBlock

__all__ = [
    'AttentionFusion',
    'GlobalText',
    'InContextFusion',
    'LocalText',
    'NormFusion',
    'Twister',
    'TwisterBlock',
    'TwisterFusion',
]
