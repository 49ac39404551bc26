# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .conv_head import ReMamberConvHead
from .mamba_head import ReMamberMambaHead

__all__ = ['ReMamberConvHead', 'ReMamberMambaHead']
