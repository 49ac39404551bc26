# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model made of one sentence, as arrays to be drawn."""

from dataclasses import dataclass

import numpy as np
from mmseg.structures import SegDataSample

from mmseg_remamber.datasets.decoding import decode_picture, open_picture


@dataclass(frozen=True)
class Prediction:
    """One sentence on one image.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        text: The sentence.
        truth: (H, W) bool.
        prediction: (H, W) bool.
    """

    image: np.ndarray
    text: str
    truth: np.ndarray
    prediction: np.ndarray

    @property
    def iou(self) -> float:
        """Intersection over union in [0, 1]; 0 when both are empty."""
        union = (self.truth | self.prediction).sum()
        return float((self.truth & self.prediction).sum() / union) if union else 0.0


def to_prediction(sample: SegDataSample) -> Prediction:
    """Read a predicted sample's picture and masks.

    The picture is read as datasets read it: not turned by its EXIF tag, as COCO's masks lie on it.

    Args:
        sample: With ``img_path`` and ``text`` as metainfo, and with ``gt_sem_seg`` and
            ``pred_sem_seg``, (1, H, W) in {0, 1}.

    Raises:
        FileNotFoundError: There is no such picture any more.
        ValueError: The picture's file is damaged; names it.
    """
    with open_picture(sample.img_path, sample.img_path) as picture:
        image = decode_picture(picture, sample.img_path, turn=False)
    return Prediction(
        image=np.ascontiguousarray(image[..., ::-1]),
        text=sample.text,
        truth=sample.gt_sem_seg.data[0].cpu().numpy() > 0,
        prediction=sample.pred_sem_seg.data[0].cpu().numpy() > 0,
    )
