# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""When the fast forms run: one rule for all of them, with a switch.

A module with a fast form asks :func:`applies` in the first line of its forward; what follows is the
equation of its paper, which runs everywhere else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_enabled = ContextVar('fast_enabled', default=True)


def applies(x: Tensor, *, in_training: bool = False) -> bool:
    """Whether a fast form runs on a tensor.

    Fast forms are for CPUs, where they were measured. They leave captured graphs alone
    (``torch.compile``, ``torch.export``, traces): their loops over a size would fix it there.

    Args:
        x: the input, of any shape.
        in_training: the form carries gradients and pays in training too, as an exact reordering of
            linear maps does. Others work in place or by strips and run without gradients alone.

    Returns:
        True on a CPU outside captured graphs and :func:`disabled`; without ``in_training`` only
        while no gradients are recorded.
    """
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and _enabled.get()
        and x.device.type == 'cpu'
        and (in_training or not torch.is_grad_enabled())
    )


@contextmanager
def disabled() -> Iterator[None]:
    """Run every module in its plain form, as its paper has it, within the context."""
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)
