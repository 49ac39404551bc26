# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The linear layer of every model here."""

from torch import Tensor, nn

from mmseg_remamber import fast


class Linear(nn.Linear):
    """``x @ weight.T + bias``. Inference on a CPU multiplies by :func:`fast.linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., in_features) float -> (..., out_features)."""
        if fast.applies(x):
            return fast.linear(x, self.weight, self.bias)
        return super().forward(x)
