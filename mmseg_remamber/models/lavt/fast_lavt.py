# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pixel-word attention as a CPU computes it fastest, without gradients."""

from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.text import Text


def pwam(attention: nn.Module, x: Tensor, text: Text) -> Tensor:
    """As the forward of :class:`~.pwam.PWAM`, each GELU with the product before it."""
    lang = attention.norm(attention.lang(attention.words_of_positions(x, text)))
    lang *= fast.linear(x, attention.vis.weight, attention.vis.bias, gelu=True)
    return fast.linear(lang, attention.proj.weight, attention.proj.bias, gelu=True)
