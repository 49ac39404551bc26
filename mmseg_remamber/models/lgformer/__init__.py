# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""LGFormer: fusion, head and weights (arXiv 2301.06429)."""

from . import weights  # noqa: F401  registers the family
from .deform_attn import DeformableAttention
from .fusion import LGFormerFusion
from .head import LGFormerHead
from .vlba import VLBA

__all__ = ['VLBA', 'DeformableAttention', 'LGFormerFusion', 'LGFormerHead']
