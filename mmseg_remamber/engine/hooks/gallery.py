# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws a gallery at each validation."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mmcv import imread
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmseg.structures import SegDataSample

from mmseg_remamber.visualization import Prediction, to_prediction


@HOOKS.register_module()
class RefSegGalleryHook(Hook):
    """Draws the same sentences at each validation: image, sentence, truth, prediction.

    They are spread over the split; of several processes the first draws, from its own share. The
    picture goes to every backend of the visualizer: the local one writes
    ``vis_data/vis_image/gallery_<step>.png``, TensorBoard shows it under its images.

    Args:
        num: How many sentences; 0 draws nothing.

    Raises:
        ValueError: ``num`` is negative.
    """

    def __init__(self, num: int = 12):
        if num < 0:
            raise ValueError(f'num must be at least 0, got {num}')
        self.num = num
        self._chosen: set[int] = set()
        self._seen = 0
        self._predictions: list[Prediction] = []

    def before_val_epoch(self, runner: Runner) -> None:
        share = len(runner.val_dataloader.sampler)
        places = np.linspace(0, share - 1, min(self.num, share)).round().astype(int)
        self._chosen = set(places.tolist()) if is_main_process() else set()
        self._seen = 0
        self._predictions = []

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        for place, sample in enumerate(outputs, start=self._seen):
            if place in self._chosen:
                self._predictions.append(to_prediction(sample))
        self._seen += len(outputs)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if not self._predictions:
            return
        # imports matplotlib, which training has no use for before
        from mmseg_remamber.visualization.gallery import draw_gallery

        by_epoch = runner.log_processor.by_epoch
        unit, step = ('epoch', runner.epoch) if by_epoch else ('iteration', runner.iter)
        with TemporaryDirectory() as folder:
            path = Path(folder, 'gallery.png')
            draw_gallery({'': self._predictions}, path, title=f'{unit} {step}')
            picture = imread(path, channel_order='rgb')
        runner.visualizer.add_image('gallery', picture, step)
        self._predictions = []
