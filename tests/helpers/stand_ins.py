# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmpretrain without torchvision, which has no CPU build beside this torch.

Its users have torchvision. mmpretrain asks for it at the top of modules and, in the parts that the
tests use, calls nothing of it.
"""

import importlib
import importlib.util
import sys
from types import ModuleType


def _module(name: str, **names: object) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = importlib.util.spec_from_loader(name, loader=None)
    module.__path__ = []
    for key, value in names.items():
        setattr(module, key, value)
    return module


class _Absent:
    """Any class of torchvision: it may be named, and derived from, but not made."""

    def __init__(self, *args, **options):
        raise ImportError('torchvision is not installed')


def _absent(*args, **options):
    raise ImportError('torchvision is not installed')


def import_mmpretrain() -> None:
    """Import mmpretrain's parts, with stand-ins for torchvision while that takes."""
    if 'mmpretrain.models' in sys.modules:
        return
    importlib.import_module('mmengine.optim')  # transformers looks for torchvision by its spec
    if importlib.util.find_spec('torchvision') is not None:
        importlib.import_module('mmpretrain.models')
        return
    mode = _module('torchvision.transforms.transforms', InterpolationMode=_Absent)
    functional = _module('torchvision.transforms.functional', InterpolationMode=_Absent)
    transforms = _module(
        'torchvision.transforms', RandomResizedCrop=_Absent, functional=functional, transforms=mode
    )
    boxes = _module('torchvision.ops.boxes', batched_nms=_absent, box_area=_absent)
    ops = _module('torchvision.ops', boxes=boxes)
    root = _module('torchvision', transforms=transforms, ops=ops, __version__='0.0.0')
    parts = (root, transforms, functional, mode, ops, boxes)
    sys.modules.update({part.__name__: part for part in parts})
    try:
        dependency = importlib.import_module('mmpretrain.utils.dependency')
        dependency.WITH_MULTIMODAL = False  # BLIP's code fails with transformers 5
        for room in ('datasets', 'evaluation', 'models', 'engine', 'visualization'):
            importlib.import_module(f'mmpretrain.{room}')
    finally:
        for part in parts:
            del sys.modules[part.__name__]
