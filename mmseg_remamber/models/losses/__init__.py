# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .dice import BinaryDiceLoss, TwoClassDiceLoss

__all__ = ['BinaryDiceLoss', 'TwoClassDiceLoss']
