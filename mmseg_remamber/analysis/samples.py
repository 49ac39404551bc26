# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One sample of a test set, or of one's own, and what a model makes of it."""

import numpy as np
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.structures import BaseDataElement
from torch import nn

from mmseg_remamber.apis.pictures import PictureInput
from mmseg_remamber.apis.query import Query


@torch.no_grad()
def predict_sample(model: nn.Module, dataset: BaseDataset, index: int) -> BaseDataElement:
    """The sample with its prediction, as the model's ``test_step`` gives it."""
    (sample,) = model.test_step(pseudo_collate([dataset[index]]))
    return sample


def own_sample(
    model: nn.Module, image: PictureInput, text: str, img_size: tuple[int, int] | None = None
) -> tuple[dict, np.ndarray]:
    """A picture and a sentence of one's own as a batch of one.

    Args:
        model: a segmentor with its config as ``model.cfg``.
        image: the picture, as :func:`~mmseg_remamber.apis.pictures.load_picture` takes it.
        text: the sentence.
        img_size: (width, height) that the picture is resized to; None is that of the config.

    Returns:
        What ``model.data_preprocessor`` makes of it; and the picture at the size that the model
        sees, (H, W, 3) uint8 RGB.
    """
    query = Query(model, img_size)
    picture = query.picture(image)
    return query.batch([picture], [query.tokens(text)]), picture.rgb


def words_of(model: nn.Module, text: str) -> list[str]:
    """The tokens that the model reads of a sentence, without padding, as people write them."""
    query = Query(model)
    return query.words(query.tokens(text))


def spread(total: int, num: int) -> list[int]:
    """``num`` indices (or all, if fewer) evenly over ``range(total)``."""
    return np.linspace(0, total - 1, min(num, total)).round().astype(int).tolist()
