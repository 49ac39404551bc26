# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How well masks fit what sentences mean."""

from mmseg_remamber.openmmlab import require

require('mmengine', 'mmcv', 'mmseg')

from .refseg_metric import RefSegMetric

__all__ = ['RefSegMetric']
