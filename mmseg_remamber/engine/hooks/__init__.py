# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Hooks of training, validation and test."""

from .checkpoint import RefSegCheckpointHook
from .ema import RefSegEMAHook
from .finite_loss import FiniteLossHook
from .gallery import RefSegGalleryHook
from .schedule import UpdateSchedulerHook
from .stop_on_signal import Interrupted, StopOnSignalHook
from .token_check import TokenCheckHook
from .visualization import RefSegVisualizationHook

__all__ = [
    'FiniteLossHook',
    'Interrupted',
    'RefSegCheckpointHook',
    'RefSegEMAHook',
    'RefSegGalleryHook',
    'RefSegVisualizationHook',
    'StopOnSignalHook',
    'TokenCheckHook',
    'UpdateSchedulerHook',
]
