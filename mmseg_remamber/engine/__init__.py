# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Training: exact resuming, hooks, batch statistics of CPU processes, precision, decay."""

from mmseg_remamber.openmmlab import load_mmseg

load_mmseg()

from .hooks import (
    FiniteLossHook,
    Interrupted,
    RefSegCheckpointHook,
    RefSegEMAHook,
    RefSegGalleryHook,
    RefSegVisualizationHook,
    StopOnSignalHook,
    TokenCheckHook,
    UpdateSchedulerHook,
)
from .keyed_sampling import KeyedDataset, KeyedSampler
from .loops import ResumableEpochLoop, ResumableIterLoop
from .optim import BFloat16OptimWrapper, FewGroupsConstructor, WeightsOnlyDecayConstructor
from .picture_sampling import PictureSampler
from .runner import RefSegRunner, leave_process_group
from .sync_batch_norm import CPUSyncBatchNorm, sync_batch_norm

__all__ = [
    'BFloat16OptimWrapper',
    'CPUSyncBatchNorm',
    'FewGroupsConstructor',
    'FiniteLossHook',
    'Interrupted',
    'KeyedDataset',
    'KeyedSampler',
    'PictureSampler',
    'RefSegCheckpointHook',
    'RefSegEMAHook',
    'RefSegGalleryHook',
    'RefSegRunner',
    'RefSegVisualizationHook',
    'ResumableEpochLoop',
    'ResumableIterLoop',
    'StopOnSignalHook',
    'TokenCheckHook',
    'UpdateSchedulerHook',
    'WeightsOnlyDecayConstructor',
    'leave_process_group',
    'sync_batch_norm',
]
