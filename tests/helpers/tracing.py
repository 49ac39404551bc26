# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Coverage's tracer, out of the way of torch.

Capturing a graph is a matter of torch's own Python code, millions of lines of it, and takes twice
the time under a tracer that has nothing to find there.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Trace nothing of this thread, if anything is traced."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


def untraced(function: Callable) -> Callable:
    """The function, run while tracing is paused."""

    @functools.wraps(function)
    def call(*args, **options):
        with paused():
            return function(*args, **options)

    return call
