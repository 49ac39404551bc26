# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed beside the equations: one policy, and exact faster forms of what models compute on a CPU.

Everything here is a function of tensors and of torch's own modules. What knows a module of a model
stands beside that module (``vmamba/fast_vmamba.py``, ``models/remamber/fast_remamber.py``).
"""

from .fold import fold
from .linear import linear
from .parts import linear_of_parts
from .policy import applies, disabled
from .strips import by_images, by_rows
from .taps import add_conv_of_resized, conv_of_resized, conv_taps, sum_doubled_taps

__all__ = [
    'add_conv_of_resized',
    'applies',
    'by_images',
    'by_rows',
    'conv_of_resized',
    'conv_taps',
    'disabled',
    'fold',
    'linear',
    'linear_of_parts',
    'sum_doubled_taps',
]
