# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .command_line import (
    add_config_arguments,
    add_dataset_arguments,
    add_model_arguments,
    add_run_arguments,
    read_run_config,
)
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
    'add_config_arguments',
    'add_dataset_arguments',
    'add_model_arguments',
    'add_run_arguments',
    'choose_model',
    'init_model',
    'leave_process_group',
    'load_config',
    'read_run_config',
]
