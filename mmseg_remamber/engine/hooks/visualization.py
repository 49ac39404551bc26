# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws predictions during validation and test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmseg.structures import SegDataSample

from mmseg_remamber.datasets.transforms import LoadRefImage


@HOOKS.register_module()
class RefSegVisualizationHook(Hook):
    """Hands every ``interval``-th prediction to the runner's visualiser, a `RefSegVisualizer`.

    MMSeg's own hook turns photographs by their EXIF tag, whereas COCO's masks lie on the pixels as
    stored; and it names a picture by its image alone, though an image has many sentences.

    Args:
        interval: Samples from one picture to the next, counted anew in each validation or test.
        show: Whether to open windows instead of saving.
        wait_time: Seconds that a window stays open.
        backend_args: Of the file backend that reads the images.

    Raises:
        ValueError: ``interval`` is below 1.
    """

    def __init__(
        self,
        *,
        interval: int = 50,
        show: bool = False,
        wait_time: float = 0.0,
        backend_args: dict | None = None,
    ):
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        self.interval = interval
        self.show = show
        self.wait_time = wait_time
        self._load = LoadRefImage(backend_args=backend_args)
        self._seen = 0

    def before_val_epoch(self, runner: Runner) -> None:
        self._seen = 0

    def before_test_epoch(self, runner: Runner) -> None:
        self._seen = 0

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: Sequence[SegDataSample]
    ) -> None:
        """Draw the samples of a batch whose turn it is; the step is that of training."""
        self._draw(runner, outputs, 'val', runner.iter)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: Sequence[SegDataSample]
    ) -> None:
        """Draw the samples of a batch whose turn it is."""
        self._draw(runner, outputs, 'test', 0)

    def _draw(self, runner: Runner, outputs: Sequence[SegDataSample], mode: str, step: int) -> None:
        for sample in outputs:
            if self._seen % self.interval == 0:
                image = self._load(dict(img_path=sample.img_path))['img'][..., ::-1]
                runner.visualizer.add_datasample(
                    f'{mode}_{self._seen:06}_{Path(sample.img_path).stem}',
                    np.ascontiguousarray(image),
                    sample,
                    show=self.show,
                    wait_time=self.wait_time,
                    step=step,
                )
            self._seen += 1
