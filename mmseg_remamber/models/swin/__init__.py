# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Swin Transformer as a staged trunk, which several families share."""

from .trunk import SwinTrunk

__all__ = ['SwinTrunk']
