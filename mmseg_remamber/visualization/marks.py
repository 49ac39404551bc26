# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What is written on a picture and below it."""

from dataclasses import dataclass

from .palette import Colour


@dataclass(frozen=True)
class LegendEntry:
    """A line below the picture.

    Attributes:
        text: In any script.
        colour: Of the square before it; None is no square.
    """

    text: str
    colour: Colour | None = None


@dataclass(frozen=True)
class Badge:
    """A text in a disc on the picture.

    Attributes:
        text: Of a character or two.
        place: (x, y) in pixels of the picture.
        colour: Of the disc.
    """

    text: str
    place: tuple[int, int]
    colour: Colour
