# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The version, stated once: packaging reads it from here without importing the package."""

__version__ = '0.1.0'
