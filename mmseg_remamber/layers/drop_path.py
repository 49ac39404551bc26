# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Stochastic depth."""

from torch import Tensor, nn


class DropPath(nn.Module):
    """Stochastic depth: drop the whole residual branch of a sample ("Deep Networks with Stochastic
    Depth", Eq. 2), scaled so that the expectation is unchanged.

    Args:
        rate: probability of dropping a sample's branch, in [0, 1).
    """

    def __init__(self, rate: float = 0.0):
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f'rate must be in [0, 1), got {rate!r}')
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, ...) float -> same shape."""
        if self.rate == 0.0 or not self.training:
            return x
        keep = 1.0 - self.rate
        mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
        return x * mask.div_(keep)

    def extra_repr(self) -> str:
        return f'rate={self.rate:.4g}'
