# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Gate of a residual."""

from torch import nn

from .linear import Linear


class TanhGate(nn.Sequential):
    """Linear, ReLU, Linear, Tanh without biases: (..., dim) float -> (..., dim) in (-1, 1)
    (LAVT, Sec. 3.3: the language gate).

    Args:
        dim: width.
    """

    def __init__(self, dim: int):
        super().__init__(
            Linear(dim, dim, bias=False), nn.ReLU(), Linear(dim, dim, bias=False), nn.Tanh()
        )
        for index in (0, 2):
            nn.init.trunc_normal_(self[index].weight, std=0.02)
