# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Instance norm of channels-last maps."""

import torch
from torch import Tensor, nn

from .precision import at_least_float32


class InstanceNorm(nn.Module):
    """Gives each channel of each sample zero mean and unit variance over all positions.

    It has no parameters and no running statistics ("Instance Normalization: The Missing Ingredient
    for Fast Stylization"). It computes in float32 at least: where a channel hardly varies, it
    divides by a tiny deviation and magnifies what was rounded before.

    Args:
        eps: added to the variance.
    """

    def __init__(self, eps: float = 1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, ..., C) float -> same shape and type.

        Raises:
            ValueError: for a single position, whose variance says nothing.
        """
        positions = tuple(range(1, x.ndim - 1))
        if x[0, ..., 0].numel() == 1:
            raise ValueError(f'x must have more than one position, got shape {tuple(x.shape)}')
        wide = at_least_float32(x)
        variance, mean = torch.var_mean(wide, positions, correction=0, keepdim=True)
        return ((wide - mean) * torch.rsqrt(variance + self.eps)).to(x.dtype)

    def extra_repr(self) -> str:
        return f'eps={self.eps:g}'
