# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Batch norm as part of the convolution before it, wherever its statistics stand still."""

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def fold(conv: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor | None, nn.Module]:
    """Weight (C', C, kh, kw) and bias (C',) of a convolution and what is left to do after it.

    A batch norm that uses its running statistics becomes part of both, and nothing is left; any
    other norm is left. mmcv's ``ConvModule(efficient_conv_bn_eval=True)`` does the same, but by
    replacing the convolution's ``forward`` during the call, which no captured graph can follow.
    """
    if not isinstance(norm, _BatchNorm) or norm.training or not norm.track_running_stats:
        return conv.weight, conv.bias, norm
    scale = torch.rsqrt(norm.running_var + norm.eps) * norm.weight
    bias = norm.bias - norm.running_mean * scale
    if conv.bias is not None:
        bias = bias + conv.bias * scale
    return conv.weight * scale[:, None, None, None], bias, nn.Identity()


def run(module: ConvModule, x: Tensor) -> Tensor:
    """``module(x)``, its norm folded if it can be. x: (B, C, H, W) float -> (B, C', H', W')."""
    weight, bias, norm = fold(module.conv, module.norm)
    x = norm(module.conv._conv_forward(x, weight, bias))
    return module.activate(x) if module.with_activation else x
