# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""LAVT: fusion, head and weights ("LAVT: Language-Aware Vision Transformer for Referring Image
Segmentation")."""

from . import weights  # noqa: F401  registers the family
from .fusion import LAVTFusion
from .head import LAVTHead
from .pwam import PWAM

__all__ = ['PWAM', 'LAVTFusion', 'LAVTHead']
