# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""In-context conditioning (ReMamber): the scan reads the sentence, then the map."""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from selective_scan import selective_scan
from torch import Tensor, nn

from mmseg_remamber.layers import MLP, conv_nhwc
from mmseg_remamber.models.staged import Fused
from mmseg_remamber.text import Text
from mmseg_remamber.vmamba.ss2d import NUM_ROUTES, SS2D

from .embedding import PositionedFusion

#: Added to a step size's argument, softplus gives exactly 0 in every floating type.
NO_STEP = -1e4


class InContextScan(SS2D):
    """Four-route scan whose state has read the text before it meets the map.

    Each of the four sequences is the T text tokens, always in the order of the sentence, followed
    by the map's positions in the order of that route; so every position of every route is
    conditioned on the whole text, and no text token on the map. The text tokens share all
    projections of the map but skip the 2-D convolution, which is not defined on them.

    Args:
        dim, state_dim, ratio: as in :class:`SS2D`.
    """

    def __init__(self, dim: int, *, state_dim: int = 1, ratio: float = 2.0):
        super().__init__(dim, state_dim=state_dim, ratio=ratio)

    def forward(  # type: ignore[override]  # reads a sentence beside the map
        self, x: Tensor, text: Tensor, token_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Args:
            x: (B, H, W, C) float.
            text: (B, T, C) float.
            token_mask: (B, T), 0 on tokens that leave the state as it is; None scans them all.

        Returns:
            The new map (B, H, W, C) and the new text (B, T, C).
        """
        x = F.silu(conv_nhwc(self.conv2d, self.in_proj(x)))
        text = F.silu(self.in_proj(text))
        x, text = self._scan_text_first(x, text, token_mask)
        return self.out_proj(self.out_norm(x)), self.out_proj(self.out_norm(text))

    def _scan_text_first(
        self, x: Tensor, text: Tensor, token_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """x: (B, H, W, E), text: (B, T, E) float -> sums of the four routes, same shapes."""
        u = _lay_out([x] * NUM_ROUTES, [text] * NUM_ROUTES)  # (B, K, E, T + L)
        dt, b, c = self._project(x, text).split([self.rank, self.state_dim, self.state_dim], dim=2)
        delta = torch.einsum('bkrs,ker->bkes', dt, self.dt_projs_weight)
        if token_mask is not None:
            padding = F.pad(token_mask == 0, (0, u.shape[-1] - token_mask.shape[1]), value=False)
            delta = delta.masked_fill(padding[:, None, None], NO_STEP)
        full = torch.promote_types(u.dtype, torch.float32)
        y = selective_scan(
            u.flatten(1, 2),
            delta.flatten(1, 2),
            -self.A_logs.to(full).exp(),  # a half-precision exp overflows
            b,
            c,
            self.Ds,
            delta_bias=self.dt_projs_bias.flatten(),
            delta_softplus=True,
            out_dtype=full,  # four routes are to be summed
        )
        maps, texts = _gather(cast(Tensor, y).unflatten(1, (NUM_ROUTES, -1)), x.shape[1:3])
        return maps.to(x.dtype), texts.to(x.dtype)

    def _project(self, x: Tensor, text: Tensor) -> Tensor:
        """[dt | B | C] of each route in its order: (B, K, R + 2N, T + L)."""
        weight = self.x_proj_weight.flatten(0, 1)
        # one product for the four routes, as each position's projections do not depend on the order
        routes = (F.linear(tokens, weight).chunk(NUM_ROUTES, dim=-1) for tokens in (x, text))
        return _lay_out(*routes)


def _lay_out(maps: Sequence[Tensor], texts: Sequence[Tensor]) -> Tensor:
    """Text before map for each route: maps K x (B, H, W, D), texts K x (B, T, D) float
    -> (B, K, D, T + L)."""
    rows, columns, rows_back, columns_back = maps
    sequences = (
        rows.flatten(1, 2),
        columns.transpose(1, 2).flatten(1, 2),
        rows_back.flatten(1, 2).flip(1),
        columns_back.transpose(1, 2).flatten(1, 2).flip(1),
    )
    routes = [torch.cat(pair, dim=1) for pair in zip(texts, sequences, strict=True)]
    return torch.stack(routes, dim=1).transpose(2, 3)


def _gather(y: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Undo :func:`_lay_out` and sum the routes.

    y: (B, K, D, T + H*W) float -> (B, H, W, D) and (B, T, D).
    """
    height, width = size
    num_tokens = y.shape[-1] - height * width
    text, sequences = y.split([num_tokens, height * width], dim=-1)
    rows, columns = sequences[:, :2].unbind(1)
    rows_back, columns_back = sequences[:, 2:].flip(-1).unbind(1)
    by_row = (rows + rows_back).unflatten(-1, (height, width))
    by_column = (columns + columns_back).unflatten(-1, (width, height))
    x = by_row + by_column.transpose(2, 3)
    return x.permute(0, 2, 3, 1), text.sum(1).transpose(1, 2)


class InContextBlock(nn.Module):
    """Scan over text and map, then a feed-forward layer, each with a residual on both.

    Args:
        dim: width C.
        state_dim, ratio: as in :class:`InContextScan`.
        mlp_ratio: hidden width of the feed-forward layer over ``dim``.
    """

    def __init__(self, dim: int, *, state_dim: int, ratio: float, mlp_ratio: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.scan = InContextScan(dim, state_dim=state_dim, ratio=ratio)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor, text: Tensor, token_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """As :meth:`InContextScan.forward`."""
        scanned = self.scan(self.norm(x), self.norm(text), token_mask)
        x, text = x + scanned[0], text + scanned[1]
        return x + self.mlp(self.norm2(x)), text + self.mlp(self.norm2(text))


@MODELS.register_module()
class InContextFusion(PositionedFusion):
    """Fusion stage that puts the words before the image tokens of the spatial scan's sequence
    (ReMamber, "In-context Conditioning"), with learned positions for each kind.

    The widths are ours: words are projected to C, and the feed-forward layer's width brings the
    base model to the Twister's size.

    Args:
        dim, text_dim, num_tokens, position_size, mask_padding: as in :class:`PositionedFusion`.
        depth: number of blocks.
        state_dim, ratio: as in :class:`InContextScan`.
        mlp_ratio: as in :class:`InContextBlock`.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        depth: int = 2,
        state_dim: int = 1,
        ratio: float = 2.0,
        mlp_ratio: float = 3.25,
        position_size: int = 16,
        mask_padding: bool = False,
    ):
        super().__init__(
            dim,
            text_dim=text_dim,
            num_tokens=num_tokens,
            position_size=position_size,
            mask_padding=mask_padding,
        )
        self.blocks = nn.ModuleList(
            InContextBlock(dim, state_dim=state_dim, ratio=ratio, mlp_ratio=mlp_ratio)
            for _ in range(depth)
        )

    def forward(self, x: Tensor, text: Text) -> Fused:
        """As :meth:`TwisterFusion.forward`; the sentence's own feature is not used."""
        x, words = self.map_position(x), self.words(text.words)
        mask = text.mask if self.mask_padding else None
        for block in self.blocks:
            x, words = block(x, words, mask)
        return Fused(x, text, x, text)
