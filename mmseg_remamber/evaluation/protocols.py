# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""At which size prediction and truth are compared, and how they are resized to it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.image import imresize
from torch import Tensor


class Protocol(NamedTuple):
    """A published way to compare a prediction with the truth.

    Attributes:
        masks: Maps (sample, threshold) to prediction and truth, both (1, h, w) bool.
        needs_logits: Whether it starts from ``input_logits`` and takes a threshold.
        inclusive: Whether Pr@X counts an IoU of exactly X.
        description: Resolution and resize in words.
    """

    masks: Callable[[dict, float], tuple[Tensor, Tensor]]
    needs_logits: bool
    inclusive: bool
    description: str


def bilinear(sample: dict, threshold: float) -> tuple[Tensor, Tensor]:
    """Compare the segmentor's mask, which has the image's own size.

    :class:`ReferringSegmentor` makes it from logits that it resizes bilinearly.
    """
    truth = own_truth(sample)
    pred = sample['pred_sem_seg']['data']
    if pred.shape != truth.shape:
        raise ValueError(
            f'prediction of size {tuple(pred.shape)}, truth of size {tuple(truth.shape)} for '
            f"{sample['img_path']}: both must have the image's own size"
        )
    return pred.bool(), truth.to(pred.device)


def remamber(sample: dict, threshold: float) -> tuple[Tensor, Tensor]:
    """Resize logits to the image's own size by nearest neighbour, as ReMamber's program does."""
    truth = own_truth(sample)
    logits = input_logits(sample)
    logits = F.interpolate(logits[None], truth.shape[1:], mode='nearest')[0]
    return logits.sigmoid() > threshold, truth.to(logits.device)


def lavt(sample: dict, threshold: float) -> tuple[Tensor, Tensor]:
    """Resize the truth to the input size by nearest neighbour, as LAVT's program does."""
    truth = own_truth(sample)
    logits = input_logits(sample)
    # by PIL itself: where it reads between two pixels, torch's 'nearest-exact' takes the other one
    height, width = logits.shape[1:]
    array = truth[0].cpu().numpy().astype(np.uint8)
    array = imresize(array, (width, height), interpolation='nearest', backend='pillow')
    truth = torch.from_numpy(array).bool()[None]
    return logits.sigmoid() > threshold, truth.to(logits.device)


def own_truth(sample: dict) -> Tensor:
    """Take the truth of a sample -> (1, h, w) bool, at the image's own size

    Raises:
        ValueError: It has another size.
    """
    truth = sample['gt_sem_seg']['data']
    size = tuple(sample.get('ori_shape', truth.shape[1:]))
    if tuple(truth.shape[1:]) != size:
        raise ValueError(
            f'truth of size {tuple(truth.shape[1:])} for {sample["img_path"]}, an image of size '
            f'{size}: in a test pipeline LoadRefMask stands after Resize'
        )
    return truth.bool()


def input_logits(sample: dict) -> Tensor:
    """Take the logits of a sample -> (1, H, W) float, at the size of the network's input

    Raises:
        KeyError: The sample has none.
    """
    if 'input_logits' not in sample:
        raise KeyError(
            f'no input_logits for {sample["img_path"]}: this protocol starts from logits at input '
            "size, which ReferringSegmentor.predict leaves; protocol='bilinear' needs none"
        )
    return sample['input_logits']['data'].float()


PROTOCOLS = dict(
    bilinear=Protocol(
        masks=bilinear,
        needs_logits=False,
        inclusive=False,
        description="at the image's own size, prediction as the segmentor gives it "
        '(ReferringSegmentor: logits resized bilinearly)',
    ),
    remamber=Protocol(
        masks=remamber,
        needs_logits=True,
        inclusive=False,
        description="at the image's own size, logits resized by nearest neighbour",
    ),
    lavt=Protocol(
        masks=lavt,
        needs_logits=True,
        inclusive=True,
        description="at the network's input size, truth resized by nearest neighbour",
    ),
)
