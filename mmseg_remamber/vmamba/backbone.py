# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba backbone ("VMamba: Visual State Space Model"), for mmseg, mmdet and mmpretrain alike."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

import torch
from mmengine.model import BaseModule
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmseg_remamber.checkpoints import pretrained_file
from mmseg_remamber.layers import ConvDownsample, PatchEmbedV1, PatchEmbedV2, PatchMerging

from .block import VSSBlock
from .weights import load_pretrained

PATCH_EMBEDS: dict[str, Callable[[int, int], nn.Module]] = {'v1': PatchEmbedV1, 'v2': PatchEmbedV2}
DOWNSAMPLES: dict[str, Callable[[int], nn.Module]] = {
    'v1': PatchMerging,
    'v2': lambda dim: ConvDownsample(dim, kernel_size=2),
    'v3': lambda dim: ConvDownsample(dim, kernel_size=3),
}

_VANILLA = dict(
    state_dim=16, ssm_ratio=2.0, gated=True, conv_bias=True, mlp_ratio=0.0,
    patch_embed='v1', downsample='v1',
)  # fmt: skip
_S2 = dict(
    state_dim=1, ssm_ratio=2.0, gated=False, conv_bias=False, mlp_ratio=4.0,
    patch_embed='v2', downsample='v3',
)  # fmt: skip
_S1 = dict(_S2, ssm_ratio=1.0)

#: Published variants. ``s2l5`` means ssm_ratio 2 and 5 blocks in the third stage.
ARCHS = {
    'tiny-vanilla': dict(_VANILLA, dim=96, depths=(2, 2, 9, 2), drop_path_rate=0.2),
    'small-vanilla': dict(_VANILLA, dim=96, depths=(2, 2, 27, 2), drop_path_rate=0.3),
    'base-vanilla': dict(_VANILLA, dim=128, depths=(2, 2, 27, 2), drop_path_rate=0.6),
    'tiny-s2l5': dict(_S2, dim=96, depths=(2, 2, 5, 2), drop_path_rate=0.2),
    'small-s2l15': dict(_S2, dim=96, depths=(2, 2, 15, 2), drop_path_rate=0.3),
    'base-s2l15': dict(_S2, dim=128, depths=(2, 2, 15, 2), drop_path_rate=0.6),
    'tiny-s1l8': dict(_S1, dim=96, depths=(2, 2, 8, 2), drop_path_rate=0.2),
    'small-s1l20': dict(_S1, dim=96, depths=(2, 2, 20, 2), drop_path_rate=0.3),
    'base-s1l20': dict(_S1, dim=128, depths=(2, 2, 20, 2), drop_path_rate=0.5),
}


@MODELS.register_module()
class VMamba(BaseModule):
    """VMamba backbone.

    Registered in mmengine's root registry, so that mmseg, mmdet and mmpretrain resolve it once
    ``custom_imports=dict(imports=['mmseg_remamber.vmamba'])`` has imported it. It is a staged trunk
    too: :class:`~mmseg_remamber.models.StagewiseFusion` calls :meth:`stem` and :meth:`run_stage`.

    Args:
        arch: a name of :data:`ARCHS`, or a dict with the same keys.
        in_channels: channels of the image.
        drop_path_rate: rate of the last block, rising from 0; by default the variant's own.
        crop_odd_maps: merge patches as the first release of vanilla VMamba did, which dropped the
            last row or column of a map of odd sides; later ones pad it.
        out_indices: stages whose maps are returned, each through a LayerNorm of its own.
        frozen_stages: -1 freezes nothing, 0 the patch embedding, i the first i stages as well.
        with_cp: recompute each block in the backward pass instead of keeping its activations.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` loads published or own weights,
            strictly: a key that is missing or that nothing explains is an error. ``prefix`` takes
            the keys that begin with it, as of a whole model's checkpoint, and ``ema=True`` the
            averaged weights of a published training file. Any other initialiser of
            mmengine does what it says there; the default is VMamba's own, whose linear layers have
            a standard deviation of 0.02 whatever their width. A narrow trunk that learns from
            random weights learns sooner with ``dict(type='Kaiming', layer='Linear',
            mode='fan_in', nonlinearity='linear')``: at 0.02 its blocks add next to nothing.

    Raises:
        ValueError: for an unknown variant, key or index, or ``crop_odd_maps`` with another
            downsampling than v1.
    """

    def __init__(
        self,
        arch: str | dict = 'tiny-s1l8',
        *,
        in_channels: int = 3,
        drop_path_rate: float | None = None,
        crop_odd_maps: bool = False,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen_stages: int = -1,
        with_cp: bool = False,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        arch = resolve_arch(arch)
        depths = arch['depths']
        num_stages = len(depths)
        if any(not 0 <= i < num_stages for i in out_indices):
            raise ValueError(f'out_indices must lie in [0, {num_stages}), got {out_indices!r}')
        if not -1 <= frozen_stages <= num_stages:
            raise ValueError(f'frozen_stages must be in [-1, {num_stages}], got {frozen_stages!r}')
        if crop_odd_maps and arch['downsample'] != 'v1':
            raise ValueError(
                f"crop_odd_maps is for variants with downsample 'v1', got {arch['downsample']!r}"
            )
        self.dims = tuple(arch['dim'] * 2**i for i in range(num_stages))
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.with_cp = with_cp

        rate = arch['drop_path_rate'] if drop_path_rate is None else drop_path_rate
        rates = iter(torch.linspace(0, rate, sum(depths), device='cpu').tolist())
        block_options = {
            k: arch[k] for k in ('state_dim', 'ssm_ratio', 'gated', 'conv_bias', 'mlp_ratio')
        }
        self.patch_embed = PATCH_EMBEDS[arch['patch_embed']](in_channels, self.dims[0])
        self.stages = nn.ModuleList(
            nn.ModuleList(
                VSSBlock(dim, **block_options, drop_path=next(rates)) for _ in range(depth)
            )
            for dim, depth in zip(self.dims, depths, strict=True)
        )
        downsample = DOWNSAMPLES[arch['downsample']]
        if crop_odd_maps:
            downsample = partial(PatchMerging, crop=True)
        self.downsamples = nn.ModuleList(downsample(dim) for dim in self.dims[:-1])
        self.out_norms = nn.ModuleDict({str(i): nn.LayerNorm(self.dims[i]) for i in out_indices})
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self._freeze()

    def init_weights(self) -> None:
        """Do what ``init_cfg`` says; the random initialisation happened at construction."""
        file = pretrained_file(self.init_cfg)
        if file is None:
            super().init_weights()
        else:
            load_pretrained(self, file)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """img: (B, 3, H, W) normalised float -> maps (B, C_i, H_i, W_i) of ``out_indices``.

        They are contiguous: mmcv's RoIAlign reads any map as if it were.
        """
        return tuple(
            self.out_norms[str(i)](x).permute(0, 3, 1, 2).contiguous()
            for i, x in enumerate(self.stage_maps(img))
            if i in self.out_indices
        )

    def stage_maps(self, img: Tensor) -> Iterator[Tensor]:
        """Each stage's map before its LayerNorm. img: (B, 3, H, W) float -> (B, H_i, W_i, C_i)."""
        x = self.stem(img)
        for i in range(len(self.stages)):
            x = self.run_stage(x, i)
            yield x

    def stem(self, img: Tensor) -> Tensor:
        """Embed patches. img: (B, 3, H, W) normalised float -> (B, H / 4, W / 4, C)."""
        return self.patch_embed(img)

    def run_stage(self, x: Tensor, index: int) -> Tensor:
        """Downsample, but for the first stage, and run the blocks of one stage.

        x: (B, H, W, C) float, the map that the stage before gave, or the stem -> (B, H', W', C').
        """
        if index > 0:
            x = self.downsamples[index - 1](x)
        for block in cast(nn.ModuleList, self.stages[index]):
            if self.with_cp and torch.is_grad_enabled():
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
        return x

    def train(self, mode: bool = True) -> 'VMamba':
        """Frozen stages stay in evaluation mode (no stochastic depth)."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        if self.frozen_stages < 0:
            return []
        return [
            self.patch_embed,
            *self.stages[: self.frozen_stages],
            *self.downsamples[: max(self.frozen_stages - 1, 0)],
        ]

    def _freeze(self) -> None:
        for module in self._frozen_modules():
            module.requires_grad_(False)


def resolve_arch(arch: str | dict) -> dict:
    """Return the full description of a variant, checked.

    Raises:
        ValueError: for an unknown name, or a dict with missing, unknown or impossible entries.
    """
    if isinstance(arch, str):
        if arch not in ARCHS:
            raise ValueError(f'arch must be one of {sorted(ARCHS)} or a dict, got {arch!r}')
        return ARCHS[arch]
    allowed = set(ARCHS['tiny-s1l8'])
    if set(arch) != allowed:
        missing, unknown = sorted(allowed - set(arch)), sorted(set(arch) - allowed)
        raise ValueError(f'arch has missing keys {missing} and unknown keys {unknown}')
    for key, choices in (('patch_embed', PATCH_EMBEDS), ('downsample', DOWNSAMPLES)):
        if arch[key] not in choices:
            raise ValueError(f'arch[{key!r}] must be one of {sorted(choices)}, got {arch[key]!r}')
    return dict(arch)
