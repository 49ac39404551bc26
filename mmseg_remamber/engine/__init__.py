# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Training: exact resuming, hooks, batch statistics of CPU processes, precision, decay."""

from .draws import DrawDataset, DrawSampler
from .hooks import (
    FiniteLossHook,
    Interrupted,
    RefSegEMAHook,
    RefSegGalleryHook,
    StopOnSignalHook,
)
from .loops import ResumableEpochLoop, ResumableIterLoop
from .optim import BFloat16OptimWrapper, WeightsOnlyDecayConstructor
from .sync_batch_norm import CPUSyncBatchNorm, sync_batch_norm

__all__ = [
    'BFloat16OptimWrapper',
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
    'WeightsOnlyDecayConstructor',
    'sync_batch_norm',
]
