# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Placeholders for the classes that torch refuses to read from a checkpoint.

Beside weights, training programs save their arguments, logs and best figure. Instead of trusting
these classes we put our own in their place: they keep what resuming a run needs, and drop the rest.
"""

from collections import OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from mmengine.logging import HistoryBuffer

from .pickled_numbers import NumberType, read_number, read_numbers


class _Ignored:
    """Stands for an object that is no weight; keeps nothing of it."""

    def __init__(self, *args):
        pass

    def __setstate__(self, state):
        pass


class _IgnoredDict:
    """The same for a dict of a class of its own, which torch fills if it is an OrderedDict."""

    def __new__(cls, *args):
        return OrderedDict()


class _Array:
    """Stands for a numpy array: what a history needs of it."""

    def __init__(self, *args):
        pass

    def __setstate__(self, state: tuple):
        _, _, self.dtype, _, self.data = state  # version, shape, dtype, Fortran's order, bytes


class _History:
    """Turns into mmengine's history of a logged value, of the numbers alone.

    The functions that a pickled history brings along would become those of every history.
    """

    def __setstate__(self, state: dict):
        logs, counts = (
            read_numbers(state[name].dtype, state[name].data)
            for name in ('_log_history', '_count_history')
        )
        self.__class__ = HistoryBuffer
        HistoryBuffer.__init__(self, logs, counts, state['max_length'])


def _scalar(dtype: NumberType, data: bytes | str) -> bool | int | float | _Ignored:
    """A numpy scalar as Python's number; text and the like is dropped."""
    try:
        return read_number(dtype, data)
    except UnpicklingError:
        return _Ignored()


#: For :func:`torch.serialization.safe_globals`.
PLACEHOLDERS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Ignored, 'argparse.Namespace'),
    (_Ignored, 'builtins.getattr'),
    (_IgnoredDict, 'yacs.config.CfgNode'),
    (_History, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (_Ignored, 'numpy.ndarray'),
    (NumberType, 'numpy.dtype'),
    *(
        (placeholder, f'{package}.multiarray.{name}')
        for package in ('numpy._core', 'numpy.core')  # since and before numpy 2
        for placeholder, name in ((_Array, '_reconstruct'), (_scalar, 'scalar'))
    ),
]
