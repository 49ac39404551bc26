# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A gallery of predictions: image with its sentence, truth, prediction."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmseg.structures import SegDataSample
from PIL import Image

from .palette import PREDICTION_COLOUR, TRUTH_COLOUR


@dataclass(frozen=True)
class Prediction:
    """One sentence on one image.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        text: the sentence.
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
    """Picture and masks of a sample that was predicted; the picture as stored, like its masks."""
    return Prediction(
        image=np.array(Image.open(sample.img_path).convert('RGB')),
        text=sample.text,
        truth=sample.gt_sem_seg.data[0].cpu().numpy() > 0,
        prediction=sample.pred_sem_seg.data[0].cpu().numpy() > 0,
    )


def overlay(
    image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int], opacity: float = 0.6
) -> np.ndarray:
    """Tint a mask on a greyed image, so that the tint is seen whatever the object's colour.

    image: (H, W, 3) uint8 RGB, mask: (H, W) bool -> (H, W, 3) uint8

    Raises:
        ValueError: when mask and image differ in size.
    """
    if mask.shape != image.shape[:2]:
        raise ValueError(f'mask is {mask.shape}, the image {image.shape[:2]}')
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    grey[mask] = (1 - opacity) * grey[mask] + opacity * np.asarray(colour)
    return grey.round().astype(np.uint8)


def draw_gallery(
    predictions: Sequence[Prediction], path: str | Path, *, columns: int = 3, title: str = ''
) -> None:
    """Write a PNG with three panels (image, truth, prediction) for each sentence.

    Args:
        predictions: what to show, in reading order.
        path: file to write.
        columns: sentences in a row.
        title: line above the gallery.

    Raises:
        ValueError: when there is nothing to show.
    """
    if not predictions:
        raise ValueError('predictions is empty: nothing to show')
    rows = -(-len(predictions) // columns)
    title_height, row_height = 0.5, 2.2  # inches
    figure = Figure(figsize=(5.4 * columns, row_height * rows + title_height), dpi=100)
    FigureCanvasAgg(figure)
    header, body = figure.subfigures(2, 1, height_ratios=(title_height, row_height * rows))
    header.suptitle(title, fontsize=13, y=0.7)
    cells = body.subfigures(rows, columns, squeeze=False).ravel()
    for cell, item in zip(cells, predictions, strict=False):
        sentence = '\n'.join(textwrap.wrap(item.text, 56)[:2])
        cell.suptitle(f'"{sentence}"', fontsize=10, y=0.98)
        panels = (
            ('image', item.image, 'black'),
            ('truth', overlay(item.image, item.truth, TRUTH_COLOUR), '#0072B2'),
            (
                f'prediction, IoU {100 * item.iou:.0f}',
                overlay(item.image, item.prediction, PREDICTION_COLOUR),
                '#9A6A00',
            ),
        )
        axes = cell.subplots(1, 3, gridspec_kw=dict(top=0.78, bottom=0.01, left=0.02, right=0.98))
        for axis, (name, picture, colour) in zip(axes, panels, strict=True):
            axis.imshow(picture)
            axis.set_title(name, fontsize=9, color=colour, pad=3)
            axis.set_axis_off()
    figure.savefig(path)
