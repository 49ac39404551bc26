# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The feed-forward layer of every block here."""

from torch import Tensor, nn

from mmseg_remamber import fast

from .linear import Linear


class MLP(nn.Module):
    """Linear, GELU, Linear on the last axis.

    Args:
        dim: input and output width.
        hidden_dim: inner width.
    """

    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.fc1 = Linear(dim, hidden_dim)
        self.act = nn.GELU()
        self.fc2 = Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., dim) float -> (..., dim)."""
        if fast.applies(x):
            return self.fc2(fast.linear(x, self.fc1.weight, self.fc1.bias, gelu=True))
        return self.fc2(self.act(self.fc1(x)))
