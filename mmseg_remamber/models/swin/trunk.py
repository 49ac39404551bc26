# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Swin Transformer as a staged trunk ("Swin Transformer: Hierarchical Vision Transformer using
Shifted Windows")."""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from mmseg.models.backbones.swin import ShiftWindowMSA, SwinBlock, SwinTransformer, WindowMSA
from mmseg.models.utils.embed import PatchMerging
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

from mmseg_remamber import fast
from mmseg_remamber.checkpoints import pretrained_file

from . import fast_swin, windows
from .exported_windows import GatheredWindows
from .weights import load_pretrained

_PATCH = 4  # side of a patch in pixels


class _NumbersOnCPU(TorchFunctionMode):
    """Lets a model be built on the meta device whose constructor reads rates from a tensor."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        options = dict(kwargs or {})
        if func is torch.linspace:
            options['device'] = 'cpu'
        return func(*args, **options)


@MODELS.register_module()
class SwinTrunk(SwinTransformer):
    """MMSegmentation's Swin Transformer behind the contract of
    :class:`~mmseg_remamber.models.StagedTrunk`.

    Its modules are mmseg's. They are called here, as mmseg's own forward fixes the number of
    windows of an exported graph. A token of the padding is a key like any other, and the shift
    stays on where one window covers the map.

    Args:
        dim: width of the first stage; each stage doubles it.
        depths: blocks of each stage.
        num_heads: attention heads of each stage.
        window_size: side of a window.
        drop_path_rate: of the last block, rising from 0.
        with_cp: recompute each block in the backward pass instead of keeping its activations.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` loads Swin's published ImageNet
            weights, or mmseg's, or a trunk's own, strictly: a key that is missing or that nothing
            explains is an error. Tables of position biases of another window are resized
            bicubically. Any other initialiser of mmengine does what it says there; by default
            linear layers begin with a standard deviation of 0.02.

    Raises:
        ValueError: for depths and heads of unlike number, or widths that are no multiples of heads.
    """

    def __init__(
        self,
        dim: int = 96,
        *,
        depths: Sequence[int] = (2, 2, 6, 2),
        num_heads: Sequence[int] = (3, 6, 12, 24),
        window_size: int = 7,
        drop_path_rate: float = 0.3,
        with_cp: bool = False,
        init_cfg: dict | None = None,
    ):
        dims = tuple(dim * 2**i for i in range(len(depths)))
        if len(num_heads) != len(depths):
            raise ValueError(
                f'num_heads must be as many as depths, {len(depths)}, got {list(num_heads)}'
            )
        for width, heads in zip(dims, num_heads, strict=True):
            if width % heads:
                raise ValueError(f'widths {list(dims)} must be multiples of num_heads {num_heads}')
        with _NumbersOnCPU():
            super().__init__(
                embed_dims=dim,
                depths=depths,
                num_heads=num_heads,
                strides=(_PATCH,) + (2,) * (len(depths) - 1),
                window_size=window_size,
                drop_path_rate=drop_path_rate,
                out_indices=(),
                with_cp=with_cp,
            )
        self.init_cfg = init_cfg
        self.dims = dims
        self.with_cp = with_cp
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, WindowMSA):
                nn.init.trunc_normal_(module.relative_position_bias_table, std=0.02)

    def init_weights(self) -> None:
        """Do what ``init_cfg`` says; the random initialisation happened at construction."""
        file = pretrained_file(self.init_cfg)
        if file is not None:
            load_pretrained(self, file)
        elif self.init_cfg is not None:
            # not mmseg's, which knows no other initialisers
            super(SwinTransformer, self).init_weights()

    def train(self, mode: bool = True) -> 'SwinTrunk':
        """As of any module; mmseg's returns nothing."""
        super().train(mode)
        return self

    def stem(self, img: Tensor) -> Tensor:
        """Embed patches. img: (B, 3, H, W) normalised float -> (B, ceil(H / 4), ceil(W / 4), C)."""
        # not by mmseg's padding, which asks in an exported graph whether there is any
        patches = self.patch_embed.projection(F.pad(img, (0, _PATCH - 1, 0, _PATCH - 1)))
        return self.patch_embed.norm(patches.permute(0, 2, 3, 1))

    def run_stage(self, x: Tensor, index: int) -> Tensor:
        """Merge patches, but for the first stage, and run the blocks of one stage.

        x: (B, H, W, C) float, the map that the stage before gave, or the stem -> (B, H', W', C').
        """
        if index > 0:
            x = merge_patches(cast(PatchMerging, self.stages[index - 1].downsample), x)
        for block in cast(nn.ModuleList, self.stages[index].blocks):
            if self.with_cp and torch.is_grad_enabled():
                x = checkpoint(swin_block, block, x, use_reentrant=False)
            else:
                x = swin_block(block, x)
        return x


def merge_patches(merging: PatchMerging, x: Tensor) -> Tensor:
    """Concatenate each neighbourhood of 2 x 2, norm and project it; mmseg's order of channels.

    x: (B, H, W, C) float -> (B, ceil(H / 2), ceil(W / 2), 2C).
    """
    padded = F.pad(x, (0, 0, 0, 1, 0, 1))  # whatever the sides, which an exported graph leaves free
    even, odd = slice(0, -1, 2), slice(1, None, 2)
    quarters = [padded[:, rows, columns] for rows in (even, odd) for columns in (even, odd)]
    x = torch.stack(quarters, dim=-1).flatten(-2)  # unfolded: channel by channel
    return merging.reduction(merging.norm(x))


def swin_block(block: SwinBlock, x: Tensor) -> Tensor:
    """Attention in windows, then an MLP (Swin, Eq. 3). x: (B, H, W, C) float -> same shape."""
    if fast.applies(x):
        return fast_swin.swin_block(block, x)
    x = x + block.attn.drop(window_attention(block.attn, block.norm1(x)))
    return block.ffn(block.norm2(x), identity=x)


def window_attention(attn: ShiftWindowMSA, x: Tensor) -> Tensor:
    """Attention of each token to those of its window, of windows that odd blocks shift.

    x: (B, H, W, C) float -> same shape.
    """
    batch, height, width, _ = x.shape
    window, shift = attn.window_size, attn.shift_size
    if torch.compiler.is_exporting():
        gathered = GatheredWindows(batch, height, width, window, shift, x.device)
        mask = gathered.shift_mask(x.dtype) if shift else None
        return gathered.join(attend(attn.w_msa, gathered.cut(x), mask))
    x = F.pad(x, (0, 0, 0, -width % window, 0, -height % window))
    mask = None
    if shift:
        x = torch.roll(x, (-shift, -shift), (1, 2))
        mask = windows.shift_mask(x.shape[1], x.shape[2], window, shift, x)
    rows = x.shape[1] // window
    x = attend(attn.w_msa, windows.cut(x, window), mask)
    x = windows.join(x, window, rows)
    if shift:
        x = torch.roll(x, (shift, shift), (1, 2))
    return x[:, :height, :width]


def attend(w_msa: WindowMSA, x: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(Q K^T / sqrt(d) + bias) V of each window (Swin, Eq. 4).

    x: (B, N, L, C) float, N windows of L tokens; mask: (N, 1, L, L) float -> (B, N, L, C).
    """
    qkv = w_msa.qkv(x).unflatten(-1, (3, w_msa.num_heads, -1))
    q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # each (B, N, heads, L, d)
    weights = (q * w_msa.scale) @ k.transpose(-2, -1) + windows.position_bias(w_msa)
    if mask is not None:
        weights = weights + mask
    x = weights.softmax(dim=-1) @ v
    return w_msa.proj(x.transpose(2, 3).flatten(-2))
