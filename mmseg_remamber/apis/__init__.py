# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .config import load_config
from .inferencer import RefSegInferencer
from .init_model import init_model
from .model_names import choose_model
from .results import ReferredMask
from .runner import RefSegRunner, leave_process_group

__all__ = [
    'RefSegInferencer',
    'RefSegRunner',
    'ReferredMask',
    'choose_model',
    'init_model',
    'leave_process_group',
    'load_config',
]
