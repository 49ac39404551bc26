# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Batch norm as part of the convolution before it, wherever its statistics stand still."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def fold(conv: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor | None, nn.Module]:
    """Fold a norm into the convolution before it.

    A batch norm that uses its running statistics is folded, gradients included; any other norm is
    left as it is.

    Args:
        conv: the convolution, of C input and C' output channels.
        norm: what follows it.

    Returns:
        Weight (C', C, kh, kw), bias (C',) or none, and the module that is left to apply.
    """
    if not isinstance(norm, _BatchNorm) or norm.training or not norm.track_running_stats:
        return conv.weight, conv.bias, norm
    scale = torch.rsqrt(norm.running_var + norm.eps) * norm.weight
    bias = norm.bias - norm.running_mean * scale
    if conv.bias is not None:
        bias = bias + conv.bias * scale
    return conv.weight * scale[:, None, None, None], bias, nn.Identity()
