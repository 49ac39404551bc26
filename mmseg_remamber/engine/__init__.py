# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Training: loops that resume exactly, hooks, batch statistics shared by CPU processes."""

from .draws import DrawDataset, DrawSampler
from .hooks import (
    FiniteLossHook,
    Interrupted,
    RefSegEMAHook,
    RefSegGalleryHook,
    StopOnSignalHook,
)
from .loops import ResumableEpochLoop, ResumableIterLoop
from .sync_batch_norm import CPUSyncBatchNorm, sync_batch_norm

__all__ = [
    'CPUSyncBatchNorm',
    'DrawDataset',
    'DrawSampler',
    'FiniteLossHook',
    'Interrupted',
    'RefSegEMAHook',
    'RefSegGalleryHook',
    'ResumableEpochLoop',
    'ResumableIterLoop',
    'StopOnSignalHook',
    'sync_batch_norm',
]
