# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""LAVT's modules as a CPU computes them fastest, without gradients.

Each function computes what the plain forward of its module does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import torch.nn.functional as F
from torch import Tensor

from mmseg_remamber import fast
from mmseg_remamber.text import Text

if TYPE_CHECKING:
    from mmseg_remamber.models.conv import ConvModule

    from .head import LAVTHead
    from .pwam import PWAM


def pwam(module: PWAM, x: Tensor, text: Text) -> Tensor:
    """Each GELU with the product before it. x: (B, H, W, C) float -> same shape."""
    lang = module.language(x, text)
    lang *= fast.linear(x, module.vis.weight, module.vis.bias, gelu=True)
    return fast.linear(lang, module.proj.weight, module.proj.bias, gelu=True)


def head(module: LAVTHead, feats: Sequence[Tensor]) -> Tensor:
    """Convolutions before upsamplings, the last one by strips of rows.

    feats: four (B, C_i, H_i, W_i) -> (B, 2, H_0, W_0).
    """
    *skips, x = feats
    pairs = cast('Iterable[tuple[ConvModule, ConvModule]]', module.levels)
    *levels, (first, last) = pairs
    for (wide, same), skip in zip(levels, reversed(skips[1:]), strict=True):
        x = same(_of_concatenation(wide, x, skip))
    x = _of_concatenation(first, x, skips[0])

    def logits(rows: Tensor) -> Tensor:
        return module.conv_seg(last(rows.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)

    # strips of twice the usual height, as each computes a row above and a row below it again
    out = fast.by_rows(logits, x.permute(0, 2, 3, 1), width=x.shape[1] // 2, halo=1)
    return out.permute(0, 3, 1, 2)


def _of_concatenation(conv: ConvModule, x: Tensor, skip: Tensor) -> Tensor:
    """The convolution of a map made large and a skip, without building their concatenation.

    x: (B, C, h, w), skip: (B, C', H, W) float -> (B, O, H, W).
    """
    weight, bias, norm = fast.fold(conv.conv, conv.norm)
    coarse, fine = weight.split([x.shape[1], skip.shape[1]], dim=1)
    total = fast.add_conv_of_resized(F.conv2d(skip, fine, bias, padding=1), x, coarse)
    return conv.activate(norm(total))
