# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The residual block of VMamba."""

from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import MLP, DropPath

from . import fast_vmamba
from .ss2d import SS2D


class VSSBlock(nn.Module):
    """``x + SS2D(LN(x))``, then ``x + MLP(LN(x))`` when ``mlp_ratio > 0`` (VMamba, Fig. 3).

    Args:
        dim: width C.
        state_dim: state size N of the scan.
        ssm_ratio: inner width of the scan over ``dim``.
        gated: multiply the scan's output by a gate (vanilla VMamba).
        conv_bias: whether the depthwise convolution has a bias.
        mlp_ratio: hidden width of the MLP over ``dim``; 0 leaves the MLP out.
        drop_path: stochastic depth rate.
    """

    def __init__(
        self,
        dim: int,
        *,
        state_dim: int = 1,
        ssm_ratio: float = 2.0,
        gated: bool = False,
        conv_bias: bool = False,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.op = SS2D(dim, state_dim=state_dim, ratio=ssm_ratio, gated=gated, conv_bias=conv_bias)
        self.drop_path = DropPath(drop_path)
        self.with_mlp = mlp_ratio > 0
        if self.with_mlp:
            self.norm2 = nn.LayerNorm(dim)
            self.mlp = MLP(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, C) float -> (B, H, W, C)."""
        if fast.applies(x):
            return fast_vmamba.vss_block(self, x)
        x = x + self.drop_path(self.op(self.norm(x)))
        return x + self.drop_path(self.mlp(self.norm2(x))) if self.with_mlp else x
