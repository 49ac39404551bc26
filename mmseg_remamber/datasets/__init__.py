# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Referring segmentation datasets, their transforms and the synthetic RefShapes."""

from mmseg_remamber.openmmlab import require

require('mmengine', 'mmcv', 'mmseg')

from mmseg_remamber.datasets import transforms  # noqa: F401  registers the transforms

from .grefcoco import GRefCOCODataset
from .mixed import MixedRefDataset
from .refcoco import RefCOCODataset

__all__ = ['GRefCOCODataset', 'MixedRefDataset', 'RefCOCODataset']
