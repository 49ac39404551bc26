# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""From Python: a model, and masks of sentences in pictures."""

from mmseg_remamber.openmmlab import load_mmseg

load_mmseg()

from mmseg_remamber.configuration import load_config

from .inferencer import RefSegInferencer
from .init_model import init_model
from .results import ReferredMask

__all__ = ['RefSegInferencer', 'ReferredMask', 'init_model', 'load_config']
