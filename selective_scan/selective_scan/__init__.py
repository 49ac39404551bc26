# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Selective scan (the recurrence of Mamba) as a compiled torch operator."""

from .ops import info, selective_scan
from .reference import selective_scan_ref

__all__ = ['info', 'selective_scan', 'selective_scan_ref']
