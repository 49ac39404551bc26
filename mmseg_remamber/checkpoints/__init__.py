# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files: read as data, compared with a model, their keys renamed."""

from mmseg_remamber.openmmlab import require

require('mmengine')

from .files import (
    differences,
    latest_checkpoint,
    read_checkpoint,
    save_safetensors,
    weights_file,
    weights_of,
    write_checkpoint,
)
from .keys import Rule, convert_keys, prefix, reverse
from .pretrained import PretrainedFile, pretrained_file
from .registry import WeightFamily, recognise, register_family, weight_family

__all__ = [
    'PretrainedFile',
    'Rule',
    'WeightFamily',
    'convert_keys',
    'differences',
    'latest_checkpoint',
    'prefix',
    'pretrained_file',
    'read_checkpoint',
    'recognise',
    'register_family',
    'reverse',
    'save_safetensors',
    'weight_family',
    'weights_file',
    'weights_of',
    'write_checkpoint',
]
