# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""JSON of annotation tools, read without trust in what is there."""

import json
from math import isfinite
from pathlib import Path
from reprlib import repr as show
from typing import Any

from mmseg_remamber.datasets.masks import InvalidMask


class BadFile(ValueError):
    """A file of another format.

    Attributes:
        place: The file, and the line where there is one.
        message: What is wrong with it.
    """

    def __init__(self, place: str, message: str):
        super().__init__(f'{place}: {message}')
        self.place = place
        self.message = message


def read_json(path: Path) -> Any:
    """Read a JSON file, with or without a byte order mark.

    Raises:
        FileNotFoundError: No such file.
        BadFile: It is no JSON in UTF-8; names the line.
    """
    if not path.is_file():
        raise FileNotFoundError(f'no file {path}')
    try:
        return json.loads(path.read_bytes().decode('utf-8-sig'))
    except json.JSONDecodeError as error:
        raise BadFile(f'{path}:{error.lineno}', f'it is no JSON: {error.msg}') from error
    except UnicodeDecodeError as error:
        raise BadFile(str(path), f'it is not UTF-8: {error.reason}') from error
    except RecursionError as error:
        raise BadFile(str(path), 'it is nested too deeply') from error


def number(value: Any, what: str) -> float:
    """Check a finite number of JSON.

    Raises:
        InvalidMask: It is none; says what should have been one.
    """
    if type(value) not in (int, float) or not isfinite(value):
        raise InvalidMask('wrong type', f'{what} must be a number, got {show(value)}')
    return value


def picture_size(width: Any, height: Any) -> tuple[int, int] | None:
    """Width and height where a file has both, as whole numbers above 0; None where it has none.

    Raises:
        ValueError: They are something else.
    """
    if width is None and height is None:
        return None
    if not all(type(side) is int and side > 0 for side in (width, height)):
        raise ValueError(f'width and height must be whole numbers, got {show((width, height))}')
    return width, height
