# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .correlation import GlobalText, LocalText
from .stage import TwisterFusion
from .twister import Twister, TwisterBlock

__all__ = ['GlobalText', 'LocalText', 'Twister', 'TwisterBlock', 'TwisterFusion']
