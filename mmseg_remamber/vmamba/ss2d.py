# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""2-D selective scan (VMamba, Sec. 4.2: "2D-Selective-Scan for Vision Data")."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from selective_scan import ss2d_scan
from torch import Tensor, nn

from .layers import conv_nhwc, linear_of_parts
from .linear import Linear, linear
from .strips import by_rows

NUM_ROUTES = 4
DT_MIN, DT_MAX, DT_FLOOR = 1e-3, 1e-1, 1e-4


def _full_precision(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


class SS2D(nn.Module):
    """Four-route selective scan over a map.

    ``in_proj``, depthwise 3x3 convolution, SiLU, scan along four routes, sum, LayerNorm,
    optional gate, ``out_proj``. Each route has its own step size, B, C, A and D.

    Args:
        dim: output width C; the inner width is E = ``ratio * dim``.
        in_dim: input width, ``dim`` by default.
        state_dim: state size N.
        ratio: inner width over ``dim``.
        gated: ``in_proj`` also makes a gate z and the result is multiplied by SiLU(z).
        conv_bias: whether the depthwise convolution has a bias.
    """

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
        nn.init.uniform_(self.x_proj_weight, -(self._inner**-0.5), self._inner**-0.5)
        nn.init.uniform_(self.dt_projs_weight, -(self.rank**-0.5), self.rank**-0.5)
        # softplus(bias) is log-uniform in [DT_MIN, DT_MAX]; the bias is its inverse softplus
        span = math.log(DT_MAX) - math.log(DT_MIN)
        dt = torch.exp(torch.rand_like(self.dt_projs_bias) * span + math.log(DT_MIN))
        dt.clamp_(min=DT_FLOOR)
        self.dt_projs_bias.copy_(dt + torch.log(-torch.expm1(-dt)))
        steps = torch.arange(1, self.state_dim + 1, dtype=self.A_logs.dtype)
        self.A_logs.copy_(steps.log().expand_as(self.A_logs))
        self.Ds.fill_(1.0)

    @property
    def _inner(self) -> int:
        return self.out_proj.in_features

    def forward(
        self,
        *maps: Tensor,
        coarse: Tensor | None = None,
        norm: nn.Module | None = None,
        then: Callable[[Tensor, Tensor], Tensor] | None = None,
        width: int = 0,
    ) -> Tensor:
        """What comes before and after may be given, to be done a strip of rows at a time.

        Args:
            maps: the input, (B, H, W, in_dim) float; or its parts in the order of their channels,
                as in :func:`linear_of_parts`.
            coarse: (B, h, w, in_dim) float, brought bilinearly to the map's size and added to it.
            norm: of each position of a single map, before all else.
            then: what follows, of each position alone, and takes the map as it came too:
                (B, h, W, dim), (B, h, W, in_dim) -> (B, h, W, C').
            width: values that ``then`` makes of one position where it is widest.

        Returns:
            (B, H, W, dim) float, or what ``then`` makes of it.

        Raises:
            ValueError: for ``norm`` with several maps or a coarse one.
        """
        if self.gated:
            x, *gate = linear_of_parts(self.in_proj, maps, coarse, before=norm).chunk(2, dim=-1)
            x = self._convolve(x)
        else:
            gate = []
            x = linear_of_parts(
                self.in_proj, maps, coarse, before=norm, then=self._convolve, halo=1
            )
        x = self._scan(x)
        if then is None:
            return by_rows(self._leave, x, *gate, width=self._inner)
        return by_rows(
            lambda came, *rows: then(self._leave(*rows), came),
            *(maps[0], x, *gate),
            width=max(width, self._inner),
        )

    def _convolve(self, x: Tensor) -> Tensor:
        """Depthwise convolution, SiLU. x: (B, H, W, E) float -> same shape."""
        # a gradient needs what SiLU has read
        return F.silu(conv_nhwc(self.conv2d, x), inplace=not torch.is_grad_enabled())

    def _leave(self, y: Tensor, z: Tensor | None = None) -> Tensor:
        """Norm, gate, projection. y, z: (B, H, W, E) float -> (B, H, W, dim)."""
        y = self.out_norm(y)
        if z is not None:
            y = y * F.silu(z)
        return self.out_proj(y)

    def _scan(self, x: Tensor) -> Tensor:
        """Sum of the four routes' scans. x: (B, H, W, E) float -> (B, H, W, E), dtype of x."""
        # The projections act on one position at a time: they need no routes laid out.
        projections = linear(x, self.x_proj_weight.flatten(0, 1))
        return ss2d_scan(
            x,
            projections.unflatten(-1, self.x_proj_weight.shape[:2]),  # (B, H, W, K, R + 2N)
            self.dt_projs_weight,
            -_full_precision(self.A_logs).exp(),  # a half-precision exp overflows
            self.Ds,
            delta_bias=self.dt_projs_bias.flatten(),
            delta_softplus=True,
        )
