# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Datasets of one's own: what annotation tools give, and sentences, into the REFER layout."""

from .conversion import (
    CONFIG,
    FORMATS,
    Annotations,
    Conversion,
    Shares,
    Table,
    convert_annotations,
)
from .finetuning import FineTuning
from .report import Problem, Report

__all__ = [
    'CONFIG',
    'FORMATS',
    'Annotations',
    'Conversion',
    'FineTuning',
    'Problem',
    'Report',
    'Shares',
    'Table',
    'convert_annotations',
]
