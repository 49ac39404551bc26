# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Mamba head of ReMamber."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.models.fusion.correlation import GlobalText, LocalText
from mmseg_remamber.vmamba import VSSBlock
from mmseg_remamber.vmamba.layers import linear_of_parts, resize_nhwc
from mmseg_remamber.vmamba.linear import Linear
from mmseg_remamber.vmamba.strips import by_rows

from . import folding
from .resize import double

SENTENCE_TOKENS = ('first', 'end')


class MambaHeadLevel(nn.Module):
    """One level: the text enters, scan blocks mix, and the map leaves at half the width.

    Args:
        dim: width d of the level's map.
        text_dim, num_tokens, mask_padding: as in :class:`LocalText`.
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

    def mix(self, x: Tensor, words: Tensor, sentence: Tensor, token_mask: Tensor) -> Tensor:
        """x: (B, d, H, W) float; text as in ``LocalText`` -> (B, d, H, W)."""
        x = x.permute(0, 2, 3, 1)
        local_text = self.local_text(x, words, token_mask)
        x = linear_of_parts(self.in_proj, (x, self.global_text(sentence), local_text))
        return self.blocks(x).permute(0, 3, 1, 2)

    def leave(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """x: (B, d, h, w) float, brought to size (H, W) -> (B, d / 2, H, W)."""
        # published the other way round, the wider map being resized: a linear layer commutes
        x = resize_nhwc(self.out_proj(x.permute(0, 2, 3, 1)), size, align_corners=True)
        return self.out_norm(x).permute(0, 3, 1, 2)


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
        x = torch.cat((x, skip), dim=1)
        for conv in self.convs:
            x = folding.run(conv, x)
        return x + skip


@MODELS.register_module()
class ReMamberMambaHead(BaseModule):
    """From the coarsest map up, each level mixing the text in again by scans.

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
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
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

    def forward(
        self, feats: Sequence[Tensor], words: Tensor, sentence: Tensor, token_mask: Tensor
    ) -> Tensor:
        """Args:
            feats: four maps (B, C_i, H_i, W_i) float, finest first.
            words: (B, T, text_dim) float.
            sentence: (B, text_dim) float.
            token_mask: (B, T), 0 on padding.

        Returns:
            Logits (B, 1, 4H_0, 4W_0).
        """
        *_, x = self.level_maps(feats, words, sentence, token_mask)
        # each doubled row is made of two rows, and two convolutions read one row more each
        x = by_rows(self._double, x.permute(0, 2, 3, 1), width=4 * x.shape[1], halo=2, scale=2)
        return x.permute(0, 3, 1, 2)

    def _double(self, x: Tensor) -> Tensor:
        """Logits of rows. x: (B, h, w, C) float -> (B, 2h, 2w, 1)."""
        x = double(x.permute(0, 3, 1, 2), align_corners=False)
        return self.conv_seg(folding.run(self.conv_out, x)).permute(0, 2, 3, 1)

    def level_maps(
        self, feats: Sequence[Tensor], words: Tensor, sentence: Tensor, token_mask: Tensor
    ) -> list[Tensor]:
        """Each level's map after its upsampling, coarsest first; arguments as in ``forward``."""
        if self.sentence_token == 'first':
            sentence = words[:, 0]
        *skips, x = feats
        maps = []
        for level, fuse, skip in zip(self.levels, self.skip_fusions, reversed(skips), strict=False):
            x = level.mix(x, words, sentence, token_mask)
            maps.append(level.leave(x, skip.shape[2:]))
            x = fuse(maps[-1], skip)
        last = self.levels[-1]
        x = last.mix(x, words, sentence, token_mask)
        return [*maps, last.leave(x, [2 * side for side in x.shape[2:]])]
