# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model costs and what goes on inside it."""

from mmseg_remamber.openmmlab import load_mmseg

load_mmseg()
