# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Mamba head of ReMamber."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber import fast
from mmseg_remamber.layers import Linear, resize_nhwc
from mmseg_remamber.models.conv import ConvModule
from mmseg_remamber.models.heads import MaskHead
from mmseg_remamber.text import Text
from mmseg_remamber.vmamba import VSSBlock

from . import fast_remamber
from .correlation import GlobalText, LocalText

SENTENCE_TOKENS = ('first', 'end')


class MambaHeadLevel(nn.Module):
    """One level: the text enters, scan blocks mix, the map is upsampled and halved in width.

    Args:
        dim: width d of the level's map.
        text_dim, num_tokens, hidden_dim, mask_padding: as in :class:`LocalText`.
        depth: number of scan blocks.
        state_dim: state size N.
        ratio: inner width over ``dim`` of the scans.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        depth: int,
        state_dim: int,
        ratio: float,
        hidden_dim: int,
        mask_padding: bool,
    ):
        super().__init__()
        self.global_text = GlobalText(text_dim, dim)
        self.local_text = LocalText(
            dim,
            text_dim=text_dim,
            num_tokens=num_tokens,
            hidden_dim=hidden_dim,
            mask_padding=mask_padding,
        )
        self.in_proj = Linear(3 * dim, dim, bias=False)
        self.blocks = nn.Sequential(
            *(
                VSSBlock(dim, state_dim=state_dim, ssm_ratio=ratio, mlp_ratio=0.0)
                for _ in range(depth)
            )
        )
        self.out_proj = Linear(dim, dim // 2, bias=False)
        self.out_norm = nn.LayerNorm(dim // 2)

    def forward(self, x: Tensor, text: Text, size: Sequence[int]) -> Tensor:
        """x: (B, d, h, w) float, brought to size (H, W) -> (B, d / 2, H, W)."""
        if fast.applies(x, in_training=True):
            return fast_remamber.mamba_level(self, x, text, size)
        x = x.permute(0, 2, 3, 1)
        sentence = self.global_text(text.sentence).expand_as(x)
        x = self.in_proj(torch.cat((x, sentence, self.local_text(x, text)), dim=-1))
        x = resize_nhwc(self.blocks(x), size, align_corners=True)
        return self.out_norm(self.out_proj(x)).permute(0, 3, 1, 2)


class SkipFusion(nn.Module):
    """``skip + two convolutions of [x, skip]``.

    Args:
        channels: channels of x and of the skip.
        norm_cfg: norm layer config.
    """

    def __init__(self, channels: int, norm_cfg: dict):
        super().__init__()
        self.convs = nn.Sequential(
            ConvModule(2 * channels, channels, 3, padding=1, norm_cfg=norm_cfg),
            ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg),
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """x, skip: (B, C, H, W) float -> (B, C, H, W)."""
        return self.convs(torch.cat((x, skip), dim=1)) + skip


@MODELS.register_module()
class ReMamberMambaHead(MaskHead):
    """From the coarsest map up, each level mixing the text in again by scans (ReMamber).

    Each upsampling meets the size of its skip; where the input's sides are 0, 29, 30 or 31 modulo
    32 that is the published doubling.

    Args:
        in_channels: channels of the four maps, finest first, each twice the one before.
        text_dim: width of the text features.
        num_tokens: T, words of each sentence, padding included.
        depths: scan blocks of each level, coarsest first.
        state_dim: state size N.
        ratio: inner width over outer width of the scans.
        hidden_dim, mask_padding: as in :class:`LocalText`.
        sentence_token: which token's feature stands for the sentence. 'first' is what the
            published program does and its weights need, though start-of-text is the same for
            every sentence of a causal text model; 'end' uses the sentence feature.
        norm_cfg: norm layer config, ``dict(type='SyncBN')`` across GPUs.
        losses: as in :class:`MaskHead`.

    Raises:
        ValueError: for other than 4 maps and depths, maps that do not double, or an unknown
            ``sentence_token``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        text_dim: int,
        num_tokens: int,
        depths: Sequence[int] = (2, 4, 2, 2),
        state_dim: int = 1,
        ratio: float = 2.0,
        hidden_dim: int = 512,
        mask_padding: bool = False,
        sentence_token: str = 'first',
        norm_cfg: dict = dict(type='BN'),  # noqa: B006  never mutated
        losses: Sequence[dict] = (),
        init_cfg: dict | None = None,
    ):
        super().__init__(losses=losses, init_cfg=init_cfg)
        if len(in_channels) != 4 or len(depths) != 4:
            raise ValueError(
                f'in_channels and depths must have 4 entries, got {in_channels} and {depths}'
            )
        if any(b != 2 * a for a, b in pairwise(in_channels)):
            raise ValueError(f'in_channels must double from map to map, got {list(in_channels)}')
        if sentence_token not in SENTENCE_TOKENS:
            raise ValueError(
                f'sentence_token must be one of {SENTENCE_TOKENS}, got {sentence_token!r}'
            )
        self.sentence_token = sentence_token
        widths = tuple(reversed(in_channels))
        self.levels = nn.ModuleList(
            MambaHeadLevel(
                dim,
                text_dim=text_dim,
                num_tokens=num_tokens,
                depth=depth,
                state_dim=state_dim,
                ratio=ratio,
                hidden_dim=hidden_dim,
                mask_padding=mask_padding,
            )
            for dim, depth in zip(widths, depths, strict=True)
        )
        self.skip_fusions = nn.ModuleList(SkipFusion(dim, norm_cfg) for dim in widths[1:])
        channels = widths[-1] // 2
        self.conv_out = ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg)
        self.conv_seg = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        """feats: four maps (B, C_i, H_i, W_i) float, finest first -> [logits (B, 1, 4H_0, 4W_0)].

        As of :class:`MaskHead`.
        """
        *_, x = self.level_maps(feats, text)
        if fast.applies(x):
            return [fast_remamber.mamba_logits(self, x)]
        return [self.convolve_doubled(x)]

    def level_maps(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        """Each level's map after its upsampling, coarsest first; arguments as of ``forward``."""
        if self.sentence_token == 'first':
            text = text._replace(sentence=text.words[:, 0])
        *skips, x = feats
        maps = []
        for level, fuse, skip in zip(self.levels, self.skip_fusions, reversed(skips), strict=False):
            maps.append(level(x, text, skip.shape[2:]))
            x = fuse(maps[-1], skip)
        doubled = [2 * side for side in x.shape[2:]]
        return [*maps, self.levels[-1](x, text, doubled)]

    def convolve_doubled(self, x: Tensor) -> Tensor:
        """Double the last map and read logits from it. x: (B, C, h, w) -> (B, 1, 2h, 2w) float."""
        x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
        return self.conv_seg(self.conv_out(x))
