# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""2-D selective scan (VMamba, Sec. 4.2: "2D-Selective-Scan for Vision Data")."""

import math
from typing import ClassVar

import torch
from selective_scan import ss2d_scan
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import Linear, conv_nhwc

from . import fast_vmamba

NUM_ROUTES = 4
DT_MIN, DT_MAX, DT_FLOOR = 1e-3, 1e-1, 1e-4


def _full_precision(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


class SS2D(nn.Module):
    """Four-route selective scan over a map (VMamba, Sec. 4.2 and Fig. 3).

    Projection, depthwise 3x3 convolution, SiLU, scan along four routes, sum, LayerNorm, optional
    gate, projection. Each route has its own step size, B, C, A and D.

    Args:
        dim: output width C; the inner width is E = ``ratio * dim``.
        in_dim: input width, ``dim`` by default.
        state_dim: state size N.
        ratio: inner width over ``dim``.
        gated: ``in_proj`` also makes a gate z and the result is multiplied by SiLU(z).
        conv_bias: whether the depthwise convolution has a bias.
    """

    #: Parameters that matrix products read, which autocast may cast.
    product_weights: ClassVar = ('x_proj_weight',)

    def __init__(
        self,
        dim: int,
        *,
        in_dim: int | None = None,
        state_dim: int = 1,
        ratio: float = 2.0,
        gated: bool = False,
        conv_bias: bool = False,
    ):
        super().__init__()
        for name, value in (('dim', dim), ('state_dim', state_dim), ('ratio', ratio)):
            if value <= 0:
                raise ValueError(f'{name} must be positive, got {value!r}')
        inner = int(ratio * dim)
        rank = math.ceil(dim / 16)
        self.state_dim, self.rank, self.gated = state_dim, rank, gated

        self.in_proj = Linear(in_dim or dim, 2 * inner if gated else inner, bias=False)
        self.conv2d = nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=conv_bias)
        self.act = nn.SiLU()
        self.x_proj_weight = nn.Parameter(torch.empty(NUM_ROUTES, rank + 2 * state_dim, inner))
        self.dt_projs_weight = nn.Parameter(torch.empty(NUM_ROUTES, inner, rank))
        self.dt_projs_bias = nn.Parameter(torch.empty(NUM_ROUTES, inner))
        self.A_logs = nn.Parameter(torch.empty(NUM_ROUTES * inner, state_dim))
        self.Ds = nn.Parameter(torch.empty(NUM_ROUTES * inner))
        self.out_norm = nn.LayerNorm(inner)
        self.out_proj = Linear(inner, dim, bias=False)
        self._reset_scan_parameters()

    @torch.no_grad()
    def _reset_scan_parameters(self) -> None:
        bound = self.out_proj.in_features**-0.5
        nn.init.uniform_(self.x_proj_weight, -bound, bound)
        nn.init.uniform_(self.dt_projs_weight, -(self.rank**-0.5), self.rank**-0.5)
        # softplus(bias) is log-uniform in [DT_MIN, DT_MAX]; the bias is its inverse softplus
        span = math.log(DT_MAX) - math.log(DT_MIN)
        dt = torch.exp(torch.rand_like(self.dt_projs_bias) * span + math.log(DT_MIN))
        dt.clamp_(min=DT_FLOOR)
        self.dt_projs_bias.copy_(dt + torch.log(-torch.expm1(-dt)))
        steps = torch.arange(1, self.state_dim + 1, dtype=self.A_logs.dtype)
        self.A_logs.copy_(steps.log().expand_as(self.A_logs))
        self.Ds.fill_(1.0)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, in_dim) float -> (B, H, W, dim)."""
        if fast.applies(x):
            return fast_vmamba.ss2d(self, x)
        x = self.in_proj(x)
        if self.gated:
            x, z = x.chunk(2, dim=-1)
        y = self.out_norm(self.scan(self.act(conv_nhwc(self.conv2d, x))))
        if self.gated:
            y = y * self.act(z)
        return self.out_proj(y)

    def scan(self, x: Tensor) -> Tensor:
        """Sum the scans along four routes. x: (B, H, W, E) float -> (B, H, W, E), dtype of x.

        Routes run over rows, over columns, and over both backwards. Step size, B and C depend on
        each position alone, so that no route has to be laid out for them.
        """
        projections = fast.linear(x, self.x_proj_weight.flatten(0, 1))
        return ss2d_scan(
            x,
            projections.unflatten(-1, self.x_proj_weight.shape[:2]),  # (B, H, W, K, R + 2N)
            self.dt_projs_weight,
            -_full_precision(self.A_logs).exp(),  # a half-precision exp overflows
            self.Ds,
            delta_bias=self.dt_projs_bias.flatten(),
            delta_softplus=True,
        )
