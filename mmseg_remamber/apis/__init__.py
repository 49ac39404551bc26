# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .config import load_config
from .init_model import init_model
from .runner import RefSegRunner

__all__ = ['RefSegRunner', 'init_model', 'load_config']
