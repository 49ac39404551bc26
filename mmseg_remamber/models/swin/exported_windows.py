# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Windows of a map whose height and width an exported graph leaves free.

Padding a map, shifting it and cutting it apart ask whether sides are multiples of the window, which
fixes them in a graph. Here tokens are gathered by index instead, which asks nothing: the values are
those of :mod:`.windows`, the time of training is not.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from . import windows


class GatheredWindows:
    """Windows of the tokens of maps, padded to whole ones.

    Windows of all pictures are one dimension: a graph is told of pictures, but not of windows, that
    there may be more than one.

    Args:
        batch, height, width: number and sides of the maps.
        window, shift: in tokens.
        device: of the maps.
    """

    def __init__(
        self, batch: int, height: int, width: int, window: int, shift: int, device: torch.device
    ):
        self.batch, self.height, self.width = batch, height, width
        self.window, self.shift, self.device = window, shift, device
        self.rows = (height + window - 1) // window
        self.columns = (width + window - 1) // window
        self.number = batch * self.rows * self.columns

    def cut(self, x: Tensor) -> Tensor:
        """x: (B, H, W, C) -> (B * N, 1, L, C), windows row by row, zeros for the padding."""
        picture, row, column = self._places()
        _, row = _divide(row + self.shift, self.rows * self.window)
        _, column = _divide(column + self.shift, self.columns * self.window)
        inside = (row < self.height) & (column < self.width)
        last = self.height * self.width  # one token of zeros stands for all the padding
        index = torch.where(inside, row * self.width + column, last) + picture * (last + 1)
        tokens = F.pad(x.flatten(1, 2), (0, 0, 0, 1)).flatten(0, 1)
        return tokens.index_select(0, index).unflatten(0, (self.number, 1, self.window**2))

    def join(self, x: Tensor) -> Tensor:
        """x: (B * N, 1, L, C) -> (B, H, W, C), the tokens of the map where they were."""
        window, shift = self.window, self.shift
        row, column = _divide(self._range(self.batch * self.height * self.width), self.width)
        picture, row = _divide(row, self.height)
        _, row = _divide(row + self.rows * window - shift, self.rows * window)
        _, column = _divide(column + self.columns * window - shift, self.columns * window)
        (window_row, row), (window_column, column) = _divide(row, window), _divide(column, window)
        number = (picture * self.rows + window_row) * self.columns + window_column
        tokens = x.flatten(0, 2).index_select(0, number * window**2 + row * window + column)
        return tokens.unflatten(0, (self.batch, self.height, self.width))

    def shift_mask(self, dtype: torch.dtype) -> Tensor:
        """As :func:`.windows.shift_mask`: (B * N, 1, 1, L, L) float."""
        _, row, column = self._places()
        height, width = self.rows * self.window, self.columns * self.window
        region = windows.region(row, column, height, width, self.window, self.shift)
        region = region.unflatten(0, (self.number, self.window**2))
        return windows.mask_of_regions(region, dtype)[:, None]

    def _places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Picture, and row and column in the shifted map, of each token, window by window.

        Each (B * N * L,) int64.
        """
        window = self.window
        number, inside = _divide(self._range(self.number * window**2), window**2)
        number, column = _divide(number, self.columns)
        picture, row = _divide(number, self.rows)
        inside_row, inside_column = _divide(inside, window)
        return picture, row * window + inside_row, column * window + inside_column

    def _range(self, number: int) -> Tensor:
        return torch.arange(number, device=self.device)


def _divide(number: Tensor, by: int) -> tuple[Tensor, Tensor]:
    """Quotient and rest of numbers that are not negative; ONNX takes no remainder by a size."""
    quotient = number // by
    return quotient, number - quotient * by
