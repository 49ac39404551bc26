# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba as a backbone for any OpenMMLab toolbox: needs torch, mmengine and selective_scan only."""

from mmseg_remamber.openmmlab import require

require('mmengine')

from .backbone import ARCHS, VMamba
from .block import VSSBlock
from .ss2d import SS2D

__all__ = ['ARCHS', 'SS2D', 'VMamba', 'VSSBlock']
