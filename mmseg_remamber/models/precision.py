# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Computing types of a forward pass, by autocast."""

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from mmengine.logging import print_log
from torch import nn

DTYPES = dict(float32=torch.float32, bfloat16=torch.bfloat16, float16=torch.float16)
# what of torch.cpu.get_capabilities() computes in bfloat16, on x86 and on Arm
_CPU_BFLOAT16 = ('avx512_bf16', 'amx_bf16', 'bf16')


def autocast(dtype: str, device: str | torch.device) -> AbstractContextManager:
    """Context in which matrix products and convolutions compute in a type.

    Weights, and the operations whose sums need it, stay in float32. A device that has bfloat16 in
    software only is told of once, through the logger.

    Args:
        dtype: 'bfloat16', 'float16' or 'float32', which leaves the surrounding context as it is.
        device: where the tensors are.

    Raises:
        ValueError: for another type, or float16 on a CPU, which would compute it in software.
    """
    if dtype not in DTYPES:
        raise ValueError(f'dtype must be one of {sorted(DTYPES)}, got {dtype!r}')
    if dtype == 'float32':
        return nullcontext()
    kind = torch.device(device).type
    if dtype == 'float16' and kind == 'cpu':
        raise ValueError("dtype 'float16' needs a GPU; a CPU computes in 'bfloat16' or 'float32'")
    if dtype == 'bfloat16':
        _tell_if_slow(kind)
    return torch.autocast(kind, DTYPES[dtype])


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Context in which everything computes in the type of its inputs, as a part of a network may
    need under autocast. device: where the tensors are; the meta device has no autocast.
    """
    if device.type == 'meta':
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def keep_weights(model: nn.Module, dtype: str) -> None:
    """Keep the weights that matrix products read in the type that autocast casts them to.

    Autocast casts them at every forward pass, and forgets. Predictions are the same; the model can
    no longer be trained. These are the weights of linear layers, and the parameters that a module
    names in ``product_weights``.

    Args:
        model: changed in place.
        dtype: as of :func:`autocast`; nothing is done for 'float32'.
    """
    if DTYPES[dtype] is torch.float32:
        return
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.to(DTYPES[dtype])
        for name in getattr(module, 'product_weights', ()):
            weight = getattr(module, name)
            weight.data = weight.to(DTYPES[dtype])


@cache
def _tell_if_slow(kind: str) -> None:
    """Log that this machine has bfloat16 in software only, where that is so."""
    if kind == 'cpu':
        capabilities = torch.cpu.get_capabilities()
        is_fast = any(capabilities.get(name) for name in _CPU_BFLOAT16)
    elif kind == 'cuda':
        is_fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        return
    if not is_fast:
        what = 'CPU' if kind == 'cpu' else 'GPU'
        print_log(
            f'this {what} has no bfloat16 in hardware: float32 may be faster',
            logger='current',
            level=logging.WARNING,
        )
