# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Configs: found by name, read with overrides, and read as data from a checkpoint."""

from mmseg_remamber.openmmlab import require

require('mmengine')

from .embedded import config_of, parse_config
from .files import compile_options, load_config
from .names import config_folder, find_config, named_configs
from .overrides import CfgOptions, Typed, add_cfg_options

__all__ = [
    'CfgOptions',
    'Typed',
    'add_cfg_options',
    'compile_options',
    'config_folder',
    'config_of',
    'find_config',
    'load_config',
    'named_configs',
    'parse_config',
]
