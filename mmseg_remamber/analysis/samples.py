# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One sample of a test set, and what a model makes of it."""

import numpy as np
from mmcv import imread
from mmengine.dataset import BaseDataset, pseudo_collate
from mmseg.structures import SegDataSample
from torch import nn

from mmseg_remamber.visualization import Prediction


def predict_sample(model: nn.Module, dataset: BaseDataset, index: int) -> SegDataSample:
    """The sample with its prediction, as :meth:`ReferringSegmentor.predict` gives it."""
    (sample,) = model.test_step(pseudo_collate([dataset[index]]))
    return sample


def to_prediction(sample: SegDataSample) -> Prediction:
    """Picture and masks of a sample that was predicted."""
    return Prediction(
        image=imread(sample.img_path, channel_order='rgb', flag='color_ignore_orientation'),
        text=sample.text,
        truth=sample.gt_sem_seg.data[0].cpu().numpy() > 0,
        prediction=sample.pred_sem_seg.data[0].cpu().numpy() > 0,
    )


def spread(total: int, num: int) -> list[int]:
    """``num`` indices (or all, if fewer) evenly over ``range(total)``."""
    return np.linspace(0, total - 1, min(num, total)).round().astype(int).tolist()
