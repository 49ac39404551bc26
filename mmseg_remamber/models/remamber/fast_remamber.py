# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""ReMamber's modules on a CPU: exact reorderings of their linear maps, and strips of rows.

Each function computes what the plain forward of its module does. What reorders linear maps alone
(a projection before a resize, the taps of a convolution before a doubling) carries gradients and
runs in training too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import conv_nhwc, resize_nhwc, upsample
from mmseg_remamber.text import Text
from mmseg_remamber.vmamba import fast_vmamba

if TYPE_CHECKING:
    from mmseg_remamber.models.conv import ConvModule

    from .conv_head import Mixer, NeckStage, ReMamberConvHead
    from .correlation import LocalText
    from .mamba_head import MambaHeadLevel, ReMamberMambaHead
    from .twister import Twister


def local_text(module: LocalText, x: Tensor, text: Text) -> Tensor:
    """Similarity and its convolution by strips of rows. x: (B, H, W, dim) -> (B, H, W, dim)."""
    width = module.conv.out_channels
    words = module.project_words(text)
    proj = module.image_proj

    def similarity(rows: Tensor) -> Tensor:
        image = fast.linear(rows, proj.weight, proj.bias, gelu=True)
        return torch.einsum('bhwd,btd->bhwt', image, words)

    def read(similarity: Tensor) -> Tensor:
        return module.out_proj(module.act(conv_nhwc(module.conv, similarity)))

    maps = fast.by_rows(similarity, x, width=width)
    if module.mask_padding:
        maps = maps * text.mask[:, None, None].to(maps.dtype)
    return fast.by_rows(read, maps, width=width, halo=1)


def twister(module: Twister, x: Tensor, *texts: Tensor) -> Tensor:
    """The scans of a cube that is never built. x: (B, H, W, C) -> (B, H, W, C).

    A text that is the same all over the map is projected once, and the channel-scanned map before
    it is made large.
    """
    maps = (x, *texts)
    scans = module.scans
    if scans == 'channel-spatial':
        return fast_vmamba.ss2d(module.spatial_scan, *maps, coarse=_scan_channels(module, *maps))
    if scans == 'spatial':
        return fast_vmamba.ss2d(module.spatial_scan, *maps)
    if scans == 'spatial-channel':
        return module.twist(fast_vmamba.ss2d(module.spatial_scan, *maps))
    twisted = fast.linear_of_parts(module.out_proj, maps, coarse=_scan_channels(module, *maps))
    if scans == 'parallel':
        return fast_vmamba.ss2d(module.spatial_scan, *maps) + twisted
    return twisted


def _scan_channels(module: Twister, *maps: Tensor) -> Tensor:
    """The channel scan, small. maps: (B, H, W, C) or (B, 1, 1, C) -> (B, size, size, M)."""
    size = (module.scan_size, module.scan_size)
    return module.scan_channels(torch.cat([resize_nhwc(part, size) for part in maps], dim=-1))


def conv_head(head: ReMamberConvHead, feats: Sequence[Tensor]) -> Tensor:
    """Convolutions before upsamplings. feats: four (B, C_i, H_i, W_i) -> (B, 1, 4H_0, 4W_0)."""
    *skips, x = feats
    mixers, neck = cast('list[Mixer]', head.mixers), cast('list[NeckStage]', head.neck)
    x = mixers[0](x)
    x = _mix(mixers[1], x, skips[2])
    x = _mix(mixers[2], x, skips[1])
    x = _convolve_with_skip(neck[0], x, skips[0])
    taps = _convolve_doubled(neck[1], x, then=partial(fast.conv_taps, head.conv_seg))
    return fast.sum_doubled_taps(taps, cast(Tensor, head.conv_seg.bias))


def _mix(mixer: Mixer, x: Tensor, skip: Tensor) -> Tensor:
    """A mixer of the upsampled map and its skip: the 1x1 convolution comes before the upsampling.

    x: (B, C, h, w), skip: (B, C', H, W) float -> (B, channels, H, W).
    """
    first, *rest = cast('list[ConvModule]', mixer)
    weight, bias, norm = fast.fold(first.conv, first.norm)
    of_map, of_skip = weight.split((x.shape[1], skip.shape[1]), dim=1)
    x = upsample(F.conv2d(x, of_map, bias), skip.shape[2:]).add_(F.conv2d(skip, of_skip))
    x = first.activate(norm(x))
    for module in rest:
        x = module(x)
    return x


def _convolve_with_skip(stage: NeckStage, x: Tensor, skip: Tensor) -> Tensor:
    """A neck stage of the upsampled map and its skip, each with its own part of the kernel.

    x: (B, C, h, w), skip: (B, C', H, W) float -> (B, channels, H, W).
    """
    conv, norm, act = cast('tuple[nn.Conv2d, nn.Module, nn.Module]', stage)
    weight, bias, norm = fast.fold(conv, norm)
    of_map, of_skip = weight.split((x.shape[1], skip.shape[1]), dim=1)
    x = fast.conv_of_resized(x, skip.shape[2:], of_map, None)
    return act(norm(x.add_(F.conv2d(skip, of_skip, bias, padding=1))))


def _convolve_doubled(stage: NeckStage, x: Tensor, then: Callable[[Tensor], Tensor]) -> Tensor:
    """``then`` of a neck stage of the doubled map. x: (B, C, h, w) float -> (B, C', 2h, 2w)."""
    conv, norm, act = cast('tuple[nn.Conv2d, nn.Module, nn.Module]', stage)
    weight, bias, norm = fast.fold(conv, norm)
    doubled = [2 * side for side in x.shape[2:]]
    if isinstance(norm, nn.Identity):  # then no row waits for another
        return fast.conv_of_resized(x, doubled, weight, bias, then=lambda rows: then(act(rows)))
    return then(act(norm(fast.conv_of_resized(x, doubled, weight, bias))))


def mamba_level(level: MambaHeadLevel, x: Tensor, text: Text, size: Sequence[int]) -> Tensor:
    """The projection before the upsampling. x: (B, d, h, w) float -> (B, d / 2, H, W)."""
    x = x.permute(0, 2, 3, 1)
    # the text's map is let go of before the blocks run
    x = fast.linear_of_parts(
        level.in_proj, (x, level.global_text(text.sentence), level.local_text(x, text))
    )
    x = level.blocks(x)
    x = resize_nhwc(level.out_proj(x), size, align_corners=True)
    return level.out_norm(x).permute(0, 3, 1, 2)


def mamba_logits(head: ReMamberMambaHead, x: Tensor) -> Tensor:
    """The last convolutions by strips of rows. x: (B, C, h, w) float -> (B, 1, 2h, 2w)."""

    def convolve(rows: Tensor) -> Tensor:
        return head.convolve_doubled(rows.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    # each doubled row is made of two rows, and two convolutions read one row more each
    rows = x.permute(0, 2, 3, 1)
    x = fast.by_rows(convolve, rows, width=4 * x.shape[1], halo=2, scale=2)
    return x.permute(0, 3, 1, 2)
