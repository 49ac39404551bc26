# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .config import load_config
from .init_model import init_model
from .runner import RefSegRunner, leave_process_group

__all__ = ['RefSegRunner', 'init_model', 'leave_process_group', 'load_config']
