# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Small layers of VMamba. Maps are channels-last, (B, H, W, C), unless said otherwise."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .linear import Linear, linear
from .strips import by_rows


def conv_nhwc(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a convolution to a channels-last map: (B, H, W, C_in) -> (B, H', W', C_out).

    The permuted view is already in torch's ``channels_last`` memory format, so nothing is copied.
    """
    return conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def as_autocast(weight: Tensor) -> Tensor:
    """A weight in the type that autocast would read it in, for a layer that reads it, or parts of
    it, many times: autocast keeps what it has cast of whole parameters only.
    """
    kind = weight.device.type
    if kind == 'meta' or not torch.is_autocast_enabled(kind):
        return weight
    return weight.to(torch.get_autocast_dtype(kind))


def resize_nhwc(x: Tensor, size: Sequence[int], *, align_corners: bool = False) -> Tensor:
    """Bring a channels-last map bilinearly to ``size``. x: (B, h, w, C) float -> (B, H, W, C)."""
    x = F.interpolate(x.permute(0, 3, 1, 2), size, mode='bilinear', align_corners=align_corners)
    return x.permute(0, 2, 3, 1)


def linear_of_parts(
    layer: nn.Linear,
    maps: Sequence[Tensor],
    coarse: Tensor | None = None,
    *,
    before: nn.Module | None = None,
    then: Callable[[Tensor], Tensor] = nn.Identity(),  # noqa: B008  without state
    halo: int = 0,
) -> Tensor:
    """``layer`` on the concatenation of maps, plus a coarse map, neither of which is ever made.

    It is linear: each map meets its own columns of the weight, a vector that holds all over
    the map is projected once, and a coarse map before it is made large.

    Args:
        layer: of as many input channels as the maps have together; without a bias.
        maps: in the order of their channels, each (B, H, W, C_i) or, the first excepted,
            (B, 1, 1, C_i) to be broadcast over the map; float.
        coarse: (B, h, w, in_features) float, brought bilinearly to (H, W) and added to the
            concatenation; none when absent.
        before: what each position goes through first, of a single map alone.
        then: what follows, (B, h, W, out_features) -> (B, h, W, C').
        halo: rows on either side that a row of ``then`` depends on.

    Returns:
        (B, H, W, C') float; of out_features channels without ``then``.

    Raises:
        ValueError: for ``before`` with several maps or a coarse one, whose sum it does not see.
    """
    if len(maps) == 1 and coarse is None:
        return by_rows(
            lambda rows: then(layer(rows if before is None else before(rows))),
            *maps,
            width=layer.out_features,
            halo=halo,
        )
    if before is not None:
        raise ValueError(
            f'before takes a single map alone, got {len(maps)} maps'
            + (' and a coarse one' if coarse is not None else '')
        )
    size = maps[0].shape[1:3]
    weight = as_autocast(layer.weight)
    parts, weights, constants = [], [], []
    columns = weight.split([part.shape[-1] for part in maps], dim=1)
    for part, own in zip(maps, columns, strict=True):
        if part.shape[1:3] == size:
            parts.append(part)
            weights.append(own)
        else:
            constants.append(linear(part, own))
    if coarse is not None:
        # what is constant stays so when it is made large
        parts.append(resize_nhwc(sum(constants, linear(coarse, weight)), size))
    elif constants:
        parts.append(sum(constants))

    def project(*parts: Tensor) -> Tensor:
        total = linear(parts[0], weights[0])
        for part, weight in zip(parts[1:], weights[1:], strict=False):
            total = total.add_(linear(part, weight))
        return then(total.add_(parts[-1]) if len(parts) > len(weights) else total)

    return by_rows(project, *parts, width=layer.out_features, halo=halo)


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


class MLP(nn.Module):
    """Linear, GELU, Linear on the last axis.

    Args:
        dim: input and output width.
        hidden_dim: inner width.
    """

    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.fc1 = Linear(dim, hidden_dim, gelu=True)
        self.fc2 = Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., dim) float -> (..., dim)."""
        return self.fc2(self.fc1(x))


class PatchEmbedV1(nn.Module):
    """Non-overlapping patches: conv 4x4 stride 4, LayerNorm (vanilla VMamba).

    Args:
        in_channels: channels of the image.
        dim: width of the first stage.
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, 4, stride=4)
        self.norm = nn.LayerNorm(dim)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, C, H, W) float -> (B, H // 4, W // 4, dim)."""
        return self.norm(self.proj(img).permute(0, 2, 3, 1))


class PatchEmbedV2(nn.Module):
    """Overlapping patches: two 3x3 stride-2 convolutions, each with LayerNorm, GELU between.

    Args:
        in_channels: channels of the image.
        dim: width of the first stage, even.
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        if dim % 2:
            raise ValueError(f'dim must be even, got {dim}')
        self.proj1 = nn.Conv2d(in_channels, dim // 2, 3, stride=2, padding=1)
        self.norm1 = nn.LayerNorm(dim // 2)
        self.act = nn.GELU()
        self.proj2 = nn.Conv2d(dim // 2, dim, 3, stride=2, padding=1)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, C, H, W) float -> (B, ceil(H / 4), ceil(W / 4), dim)."""
        x = self.act(self.norm1(self.proj1(img).permute(0, 2, 3, 1)))
        return self.norm2(conv_nhwc(self.proj2, x))


class PatchMerging(nn.Module):
    """Downsampling v1: each 2x2 neighbourhood concatenated, LayerNorm, Linear (Swin's merging).

    Args:
        dim: input width; the output is twice as wide.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, C) float -> (B, ceil(H / 2), ceil(W / 2), 2C); odd sides are zero-padded."""
        _, height, width, _ = x.shape
        x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
        quarters = (x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2])
        return self.reduction(self.norm(torch.cat(quarters, dim=-1)))


class ConvDownsample(nn.Module):
    """Downsampling by a stride-2 convolution and LayerNorm.

    Args:
        dim: input width; the output is twice as wide.
        kernel_size: 2 (v2, odd sides lose a row) or 3 (v3, padded by one).
    """

    def __init__(self, dim: int, *, kernel_size: int = 3):
        super().__init__()
        if kernel_size not in (2, 3):
            raise ValueError(f'kernel_size must be 2 or 3, got {kernel_size!r}')
        self.conv = nn.Conv2d(dim, 2 * dim, kernel_size, stride=2, padding=kernel_size // 3)
        self.norm = nn.LayerNorm(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, H, W, C) float -> (B, H', W', 2C)."""
        return self.norm(conv_nhwc(self.conv, x))
