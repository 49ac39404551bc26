# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Selective scan (the recurrence of Mamba) as a compiled torch operator."""

from .library import info
from .mamba import selective_scan_fn
from .ops import selective_scan
from .reference import selective_scan_ref, ss2d_scan_ref
from .ss2d import ss2d_scan

__all__ = [
    'info',
    'selective_scan',
    'selective_scan_fn',
    'selective_scan_ref',
    'ss2d_scan',
    'ss2d_scan_ref',
]
