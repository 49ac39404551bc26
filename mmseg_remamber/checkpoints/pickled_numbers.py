# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Numpy's numbers in a pickle, read without calling numpy's own constructors on what a file says.

Those are no safe ones: a made-up dtype can crash the process.
"""

import re
from pickle import UnpicklingError

import numpy as np


class NumberType:
    """Stands for ``numpy.dtype``: no more of it is needed than how to read numbers."""

    __slots__ = ('code',)

    def __init__(self, code: str, align=False, copy=False):
        self.code = code

    def __setstate__(self, state: tuple):
        byte_order = state[1]  # (version, byte order, ...)
        self.code = byte_order + self.code


def read_numbers(dtype: NumberType, data: bytes | str) -> np.ndarray:
    """The numbers in the bytes of an array or scalar, in one dimension.

    Raises:
        UnpicklingError: when the type is not one of booleans, integers or floats.
    """
    if not re.fullmatch('[<>|=]?[biuf][1248]', dtype.code):
        raise UnpicklingError(f'numpy type {dtype.code!r} is not a number')
    if isinstance(data, str):  # Python 2 bytes
        data = data.encode('latin1')
    return np.frombuffer(data, dtype.code)


def read_number(dtype: NumberType, data: bytes | str) -> bool | int | float:
    """As :func:`read_numbers`, of a scalar."""
    (number,) = read_numbers(dtype, data)
    return number.item()
