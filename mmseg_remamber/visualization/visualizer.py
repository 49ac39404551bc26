# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmengine's visualiser for sentences and their masks."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import mmcv
import numpy as np
from mmengine.dist import master_only
from mmengine.structures import PixelData
from mmengine.visualization import BaseVisBackend, Visualizer
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample

from .referred import draw_caption, draw_errors, draw_masks

# what mmengine's visualiser draws on
_FIGURE = ('fig_save_canvas', 'fig_save', 'ax_save', 'dpi')


@VISUALIZERS.register_module()
class RefSegVisualizer(Visualizer):
    """Draws samples of referring segmentation.

    It hands scalars, configs and pictures to the same backends as mmengine's visualiser. That one
    makes a figure of matplotlib at once; this one makes it when the first picture is drawn, so
    that training which draws none does not import matplotlib.

    Use it in a config, with :class:`RefSegVisualizationHook`::

        visualizer = dict(type='RefSegVisualizer', vis_backends=[dict(type='LocalVisBackend')])

    Args:
        name: Of the instance, by which mmengine finds it.
        image: (H, W, 3) uint8 RGB, the first picture to draw on.
        vis_backends: Configs of backends, or backends.
        save_dir: Folder of what they write.
        fig_save_cfg, fig_show_cfg: Options of ``matplotlib.figure.Figure``, for pictures that are
            saved and for windows; ``dict(frameon=False)`` where they are None.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        image: np.ndarray | None = None,
        vis_backends: Sequence[dict | BaseVisBackend] | None = None,
        save_dir: str | None = None,
        fig_save_cfg: dict | None = None,
        fig_show_cfg: dict | None = None,
    ):
        super().__init__(
            name, None, vis_backends, save_dir,
            dict(frameon=False) if fig_save_cfg is None else fig_save_cfg,
            dict(frameon=False) if fig_show_cfg is None else fig_show_cfg,
        )  # fmt: skip
        for part in _FIGURE:
            delattr(self, part)  # only a stand-in so far: __getattr__ makes it
        if image is not None:
            self.set_image(image)

    def _initialize_fig(self, fig_cfg: dict) -> tuple:
        """What mmengine's constructor asks for, without a figure."""
        return None, SimpleNamespace(get_dpi=lambda: None), None

    def __getattr__(self, name: str) -> Any:
        if name not in _FIGURE:
            raise AttributeError(f'{type(self).__name__} has no attribute {name!r}')
        canvas, figure, axes = super()._initialize_fig(self.fig_save_cfg)
        self.fig_save_canvas, self.fig_save, self.ax_save = canvas, figure, axes
        self.dpi = figure.get_dpi()
        return getattr(self, name)

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
            name: Of the picture in the backends, and of the window.
            image: (H, W, 3) uint8 RGB.
            data_sample: With its sentence ``text`` as metainfo; ``gt_sem_seg`` and
                ``pred_sem_seg``, (1, H, W) in {0, 1}, are drawn where they are there.
            draw_gt: Whether to draw the truth.
            draw_pred: Whether to draw the prediction.
            show: Open a window, and save nothing.
            wait_time: Seconds that it stays open; 0 is until a key is pressed.
            out_file: File to write, instead of the backends.
            step: Number of the picture in the backends.

        Raises:
            ValueError: A mask and the image differ in size.
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
