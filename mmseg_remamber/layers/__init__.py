# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""General layers, in plain torch. Maps are channels-last, (B, H, W, C)."""

from .drop_path import DropPath
from .gate import TanhGate
from .instance_norm import InstanceNorm
from .linear import Linear
from .maps import conv_nhwc, resize_nhwc, upsample
from .mlp import MLP
from .patches import ConvDownsample, PatchEmbedV1, PatchEmbedV2, PatchMerging
from .precision import at_least_float32

__all__ = [
    'MLP',
    'ConvDownsample',
    'DropPath',
    'InstanceNorm',
    'Linear',
    'PatchEmbedV1',
    'PatchEmbedV2',
    'PatchMerging',
    'TanhGate',
    'at_least_float32',
    'conv_nhwc',
    'resize_nhwc',
    'upsample',
]
