# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""MMSeg's visualiser for sentences and their masks."""

import mmcv
import numpy as np
from mmengine.dist import master_only
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample

from .referred import draw_caption, draw_errors, draw_masks


@VISUALIZERS.register_module()
class RefSegVisualizer(Visualizer):
    """Draws samples of referring segmentation; options and backends are those of mmengine's.

    Use it in a config, with :class:`RefSegVisualizationHook`::

        visualizer = dict(type='RefSegVisualizer', vis_backends=[dict(type='LocalVisBackend')])
    """

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: SegDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0.0,
        out_file: str | None = None,
        step: int = 0,
    ) -> None:
        """Draw a sample and hand the picture to a window, a file or the backends.

        Truth and prediction together are compared in three colours (:func:`draw_errors`); one of
        them alone is outlined (:func:`draw_masks`); without either the sentence stands alone.

        Args:
            name: of the picture in the backends, and of the window.
            image: (H, W, 3) uint8 RGB.
            data_sample: with its sentence ``text`` as metainfo; ``gt_sem_seg`` and
                ``pred_sem_seg``, (1, H, W) in {0, 1}, are drawn where they are there.
            draw_gt: whether to draw the truth.
            draw_pred: whether to draw the prediction.
            show: open a window, and save nothing.
            wait_time: seconds that it stays open; 0 is until a key is pressed.
            out_file: file to write, instead of the backends.
            step: number of the picture in the backends.

        Raises:
            ValueError: when a mask and the image differ in size.
        """
        drawn = self._draw(image, data_sample or SegDataSample(), draw_gt, draw_pred)
        self.set_image(drawn)
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        elif out_file is not None:
            mmcv.imwrite(mmcv.rgb2bgr(drawn), out_file)
        else:
            self.add_image(name, drawn, step)

    def _draw(
        self, image: np.ndarray, sample: SegDataSample, draw_gt: bool, draw_pred: bool
    ) -> np.ndarray:
        text = sample.metainfo.get('text', '')
        truth = _mask_of(sample.gt_sem_seg) if draw_gt and 'gt_sem_seg' in sample else None
        found = _mask_of(sample.pred_sem_seg) if draw_pred and 'pred_sem_seg' in sample else None
        if truth is not None and found is not None:
            return draw_errors(image, truth, found, text)
        if truth is not None:
            return draw_masks(image, [truth], [f'truth: {text}'])
        if found is not None:
            return draw_masks(image, [found], [text])
        return draw_caption(image, text)


def _mask_of(field: PixelData) -> np.ndarray:
    """(1, H, W) tensor in {0, 1} -> (H, W) bool"""
    return field.data[0].cpu().numpy() > 0
