# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The colours of all pictures: the palette of Okabe and Ito (2008), for any colour vision."""

Colour = tuple[int, int, int]  # RGB in [0, 255]

BLACK: Colour = (0, 0, 0)
ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
BLUISH_GREEN: Colour = (0, 158, 115)
YELLOW: Colour = (240, 228, 66)
BLUE: Colour = (0, 114, 178)
VERMILLION: Colour = (213, 94, 0)
REDDISH_PURPLE: Colour = (204, 121, 167)

#: Of several masks on one picture, in this order, again from the start when they run out.
MASK_COLOURS = (ORANGE, SKY_BLUE, BLUISH_GREEN, REDDISH_PURPLE, YELLOW, BLUE, VERMILLION)
TRUTH_COLOUR = BLUE
PREDICTION_COLOUR = ORANGE
#: Of text about the prediction on white, where the palette's orange is too light to be read.
PREDICTION_INK: Colour = (154, 106, 0)
#: Of a prediction against its truth.
FOUND_COLOUR = YELLOW
MISSED_COLOUR = TRUTH_COLOUR
WRONG_COLOUR = VERMILLION
#: Of what marks a place on a photograph, edged with black.
MARK_COLOUR = ORANGE
#: Of lines on white, in this order; yellow is lost there.
LINE_COLOURS = (BLUE, VERMILLION, BLUISH_GREEN, REDDISH_PURPLE, ORANGE, SKY_BLUE, BLACK)
#: Of maps of numbers, a name of matplotlib's. It rises evenly in lightness: read without colours.
HEAT = 'viridis'


def to_unit(colour: Colour) -> tuple[float, float, float]:
    """Convert RGB in [0, 255] -> RGB in [0, 1], as matplotlib takes it."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255


def to_css(colour: Colour) -> str:
    """Convert RGB in [0, 255] -> a colour of a style sheet."""
    return 'rgb({}, {}, {})'.format(*colour)


def ink_on(colour: Colour) -> str:
    """Choose 'black' or 'white', whichever is read better on a colour (by Rec. 709 luma)."""
    red, green, blue = colour
    return 'black' if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 115 else 'white'
