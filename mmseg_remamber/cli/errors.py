# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a command says of an error: one line, not a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

# what the package raises for input that it cannot use
_OF_INPUT = (ImportError, KeyError, OSError, RuntimeError, ValueError)


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """End the process with a message on stderr and status 1 where the input is to blame.

    Raises:
        SystemExit: With the message, in place of the error, which is its cause.
    """
    try:
        yield
    except _OF_INPUT as error:
        # the text of a KeyError is that of its key, in quotation marks
        message = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        raise SystemExit(f'error: {message or type(error).__name__}') from error
