# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Swin's blocks as a CPU computes them fastest, without gradients."""

from mmseg.models.backbones.swin import SwinBlock
from torch import Tensor


def swin_block(block: SwinBlock, x: Tensor) -> Tensor:
    """As :func:`.trunk.swin_block`."""
    from .trunk import window_attention

    x = x + window_attention(block.attn, block.norm1(x))
    return block.ffn(block.norm2(x), identity=x)
