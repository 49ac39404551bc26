# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Register every module of this project: the one module that configs import.

``custom_imports = dict(imports=['mmseg_remamber.register'])``. A family of models is registered by
a line here.
"""

from mmseg_remamber.openmmlab import load_mmseg

load_mmseg()

from mmseg_remamber import datasets, engine, evaluation, models, text, vmamba
from mmseg_remamber.models import lavt, lgformer, remamber

__all__ = [
    'datasets',
    'engine',
    'evaluation',
    'lavt',
    'lgformer',
    'models',
    'remamber',
    'text',
    'vmamba',
]
