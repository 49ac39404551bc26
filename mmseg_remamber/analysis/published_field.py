# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The effective receptive field as VMamba's figure has it.

The definition and the area ratio are those of Ding et al., "Scaling Up Your Kernels to 31x31"
(CVPR 2022); :func:`.maps.receptive_field` shows every stage by the plain gradient.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from mmseg_remamber.models import StagedTrunk

THRESHOLDS = (0.2, 0.3, 0.5, 0.99)
#: Exponents of what is shown: of the newest program, and of the first release's.
POWERS = {'newest': 0.2, 'first': 0.25}


def last_map(backbone: nn.Module, img: Tensor) -> Tensor:
    """The last stage's map, before any output norm of one of this project's trunks, else as the
    backbone returns it. (B, 3, H, W) float -> (B, C, h, w)"""
    if not isinstance(backbone, StagedTrunk):
        return backbone(img)[-1]
    x = backbone.stem(img)
    for index in range(len(backbone.dims)):
        x = backbone.run_stage(x, index)
    return x.permute(0, 3, 1, 2)


def contribution(features: Callable[[Tensor], Tensor], img: Tensor) -> Tensor:
    """What each pixel contributes to the centre of a map.

    The gradient of ReLU(map) at (H // 2, W // 2), summed over channels; its positive part, summed
    over colours.

    Args:
        features: (1, 3, H, W) float -> (1, C, h, w) float.
        img: (1, 3, H, W) float, normalised.

    Returns:
        (H, W) float, not negative.
    """
    img = img.detach().requires_grad_()
    out = features(img)
    centre = out[:, :, out.shape[2] // 2, out.shape[3] // 2].relu().sum()
    (gradient,) = torch.autograd.grad(centre, img)
    return gradient[0].relu().sum(0)


def mean_contribution(
    features: Callable[[Tensor], Tensor], images: Iterable[Tensor]
) -> tuple[Tensor, int]:
    """The mean of :func:`contribution` over images, and how many counted: those without NaN.

    Raises:
        ValueError: None did.
    """
    total, count = None, 0
    for img in images:
        field = contribution(features, img)
        if not field.isnan().any():
            total, count = field if total is None else total + field, count + 1
    if total is None:
        raise ValueError('images are none, or the gradient of each has NaN')
    return total / count, count


def shown(field: Tensor, power: float = POWERS['newest']) -> Tensor:
    """Rescale a field as it is shown: ``field ** power`` over its largest, in [0, 1]."""
    scaled = field**power
    return scaled / scaled.max()


def high_contribution_areas(
    scaled: Tensor, thresholds: Iterable[float] = THRESHOLDS
) -> dict[float, tuple[int, float] | None]:
    """The smallest centred square whose share of a field exceeds each threshold.

    Args:
        scaled: (H, W) float, of :func:`shown`.
        thresholds: Shares of the sum.

    Returns:
        {threshold: (side 2 i + 1 in pixels, (2 i + 1) ** 2 / (H W))} with 1 <= i < H // 2; None
        where no such square does.
    """
    height, width = scaled.shape
    centre, across = height // 2, width // 2
    total = scaled.double().sum()
    shares = {
        2 * i + 1: float(
            scaled[
                max(0, centre - i) : centre + i + 1, max(0, across - i) : across + i + 1
            ].double().sum() / total
        )
        for i in range(1, height // 2)
    }  # fmt: skip
    areas = {}
    for threshold in thresholds:
        side = next((side for side, share in shares.items() if share > threshold), None)
        areas[threshold] = side and (side, side**2 / (height * width))
    return areas
