# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A family made of new files only: a fusion, a head, its weights, a config."""

from . import fusion, head, weights

__all__ = ['fusion', 'head', 'weights']
