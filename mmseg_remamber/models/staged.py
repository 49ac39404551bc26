# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Multi-modal backbone: an image trunk with a fusion after each of its stages."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmseg_remamber.text import Text


@runtime_checkable
class StagedTrunk(Protocol):
    """Contract of an image trunk that runs stage by stage. Maps are channels-last.

    Attributes:
        dims: width of each stage's map.
    """

    dims: Sequence[int]

    def stem(self, img: Tensor) -> Tensor:
        """img: (B, 3, H, W) normalised float -> (B, h, w, C), what the first stage takes."""

    def run_stage(self, x: Tensor, index: int) -> Tensor:
        """One stage, with the downsampling before it. x: (B, h, w, C) -> (B, h', w', C')."""


class Fused(NamedTuple):
    """What a stage's fusion makes.

    Attributes:
        x: (B, H, W, C) float, the map for the next stage.
        text: the sentences for the next stage.
        out: (B, H, W, C) float, the map that leaves the backbone.
        out_text: the sentences as the head gets them, where this is the last stage.
    """

    x: Tensor
    text: Text
    out: Tensor
    out_text: Text


class StageFusion(BaseModule):
    """Contract of what follows a stage.

    Built with ``dim``, the width of the stage's map, ``text_dim`` and ``num_tokens`` added to its
    config.
    """

    @abstractmethod
    def forward(self, x: Tensor, text: Text) -> Fused:
        """Mix the sentences into a stage's map.

        Args:
            x: (B, H, W, C) float, the stage's map.
            text: the sentences, as the stage before left them.
        """

    def only_for_the_next_stage(self) -> Iterable[nn.Module]:
        """Modules that work on nothing but what goes on to the next stage.

        After the last stage they get no gradients: they stay in checkpoints, and are not trained.
        """
        return ()


@MODELS.register_module()
class StagewiseFusion(BaseModule):
    """An image trunk, and a fusion with the sentence after each of its stages.

    Args:
        image: config of the trunk, a :class:`StagedTrunk`.
        fusion: config of a :class:`StageFusion`, built once for each stage with ``dim``,
            ``text_dim`` and ``num_tokens`` added; or one for each stage.
        text_dim: D, width of the text features.
        num_tokens: T, tokens of each sentence, padding included.
        with_cp: recompute the trunk's blocks and the fusions in the backward pass instead of
            keeping their activations.
        init_cfg: initialisation config; pretrained weights of the trunk go into ``image``.

    Raises:
        ValueError: for fusions that are not as many as stages.
    """

    def __init__(
        self,
        *,
        image: dict,
        fusion: dict | Sequence[dict],
        text_dim: int,
        num_tokens: int,
        with_cp: bool = False,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        self.with_cp = with_cp
        self.image = MODELS.build(dict(image, with_cp=True) if with_cp else image)
        sizes = dict(text_dim=text_dim, num_tokens=num_tokens)
        fusions = [fusion] * len(self.image.dims) if isinstance(fusion, dict) else fusion
        if len(fusions) != len(self.image.dims):
            raise ValueError(
                f'fusion must be one config or one for each of {len(self.image.dims)} stages, got '
                f'{len(fusions)}'
            )
        self.fusions = nn.ModuleList(
            MODELS.build(dict(cfg, dim=dim, **sizes))
            for cfg, dim in zip(fusions, self.image.dims, strict=True)
        )
        for module in cast(StageFusion, self.fusions[-1]).only_for_the_next_stage():
            module.requires_grad_(False)

    def forward(
        self, img: Tensor, text: Text, image_index: Tensor | None = None
    ) -> tuple[tuple[Tensor, ...], Text]:
        """Args:
            img: (B, 3, H, W) normalised float; (N, 3, H, W) with ``image_index``.
            text: the sentences.
            image_index: (B,) int64 in [0, N), the image of each sentence; None is one image a
                sentence. What no text enters, the stem and the first stage, is computed once an
                image.

        Returns:
            One map (B, C_i, H_i, W_i) for each stage, and the sentences as the last one gives them
            to the head.
        """
        x = self.image.stem(img)
        outs = []
        for i, fuse in enumerate(self.fusions):
            x = self.image.run_stage(x, i)
            if i == 0 and image_index is not None:
                x = x[image_index]
            x, text, out, out_text = self._recomputed(fuse, x, text)
            outs.append(out.permute(0, 3, 1, 2))
        return tuple(outs), out_text

    def _recomputed(self, module: nn.Module, *inputs: Any) -> Any:
        """Call a module, recomputing it in the backward pass when ``with_cp`` is set."""
        if self.with_cp and torch.is_grad_enabled():
            return checkpoint(module, *inputs, use_reentrant=False)
        return module(*inputs)
