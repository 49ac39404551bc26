# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a command says of an error: one line, not a traceback, where the input is to blame."""

import io
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import dropwhile

# what the package raises for input that it cannot use
_OF_INPUT = (ImportError, OSError, RuntimeError, ValueError)
# the same, but a slip of a program has these types too: they count where a statement raised them
_OF_INPUT_IF_RAISED = (ArithmeticError, KeyError, TypeError)
_SLIPS = (NotImplementedError, RecursionError)  # though they are RuntimeErrors
# where mmengine calls a class with the arguments that a config has for it
_CALLERS_BY_CONFIG = ('mmengine/registry/build_functions.py', 'mmengine/utils/manager.py')
# how a loader begins what it says of an error in one of its workers
_IN_WORKER = re.compile(r'Caught \w+ in .*\nOriginal Traceback ')


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """End the process with a message on stderr and status 1 where the input is to blame.

    An error of the program itself is left as it is. The log file of a run, where there is one, gets
    the traceback of either. What a stream's encoding lacks, as a file's name may, is printed as an
    escape and is no error.

    Raises:
        SystemExit: With the message, in place of the error, which is its cause.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    try:
        yield
    except Exception as error:
        _log_traceback(error)
        if not _is_of_input(error):
            raise
        raise SystemExit(f'error: {_message(error)}') from error


def _is_of_input(error: Exception) -> bool:
    if isinstance(error, _OF_INPUT):
        return not isinstance(error, _SLIPS)
    # a loader raises whatever its workers did
    if not isinstance(error, _OF_INPUT_IF_RAISED) or _IN_WORKER.match(str(error)):
        return False
    (last,) = traceback.extract_tb(error.__traceback__, limit=-1)
    return (last.line or '').startswith('raise ') or last.filename.endswith(_CALLERS_BY_CONFIG)


def _message(error: Exception) -> str:
    # the text of a KeyError is that of its key, in quotation marks
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    if _IN_WORKER.match(text):
        # the traceback as text, its lines indented; then the type and what it says
        lines = text.rpartition('Traceback (most recent call last):\n')[2].splitlines()
        text = '\n'.join(dropwhile(lambda line: line.startswith(' '), lines)).partition(': ')[2]
    return text.strip() or type(error).__name__


def _log_traceback(error: Exception) -> None:
    """Write an error with its traceback to the log file of the run alone."""
    # not imported here: it takes seconds, and may be what is missing
    if 'mmengine.logging' not in sys.modules:
        return
    logger = sys.modules['mmengine.logging'].MMLogger.get_current_instance()
    record = logger.makeRecord(
        logger.name, logging.ERROR, __file__, 0, 'The command ended in an error', (),
        (type(error), error, error.__traceback__),
    )  # fmt: skip
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)
