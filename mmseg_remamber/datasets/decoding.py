# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One way from the bytes of a picture to pixels, for datasets and for pictures of one's own."""

import struct

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# what PIL raises for damaged files: SyntaxError for PNG chunks, the others for tags and headers
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    AttributeError,
    ZeroDivisionError,
)


def decode_picture(image: Image.Image, name: str, *, turn: bool) -> np.ndarray:
    """Decode a picture that PIL has opened: its first frame, as a viewer shows it on white.

    What is transparent becomes white, grey is repeated in three channels, 16 bits become 8, and
    CMYK and palettes become colours.

    Args:
        image: the picture.
        name: what errors call it.
        turn: turn it as its EXIF orientation says. Masks of datasets lie on the pixels as stored.

    Returns:
        (H, W, 3) uint8 BGR, contiguous.

    Raises:
        ValueError: for a damaged or truncated file, an empty picture, or pixels of 32 bits, which
            have no agreed white; names the picture.
    """
    try:
        orientation = orientation_of(image) if turn else 1
        image.load()
        if image.mode in ('I', 'F'):
            raise ValueError(f'its pixels are of 32 bits (mode {image.mode!r}), not 8 or 16')
        if image.mode.startswith('I;16'):
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert('RGBA')
            image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image)
        if orientation in _TURNS:
            image = image.transpose(_TURNS[orientation])
        rgb = np.asarray(image.convert('RGB'))
    except _DAMAGE as error:
        raise ValueError(f'could not decode image {name!r}: {error}') from error
    if not rgb.size:
        raise ValueError(f'image {name!r} is empty: {rgb.shape[1]} x {rgb.shape[0]} pixels')
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)  # numpy copies backwards views slowly


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, as stored, where there is none or it makes no sense.

    A broken tag beside it does not matter.
    """
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:  # no directory of tags to look into
        return 1
    return orientation if orientation in _TURNS else 1


def open_picture(file, name: str) -> Image.Image:
    """Open a file with PIL.

    Args:
        file: path or binary file.
        name: what errors call it.

    Raises:
        ValueError: when it is no image, or one of more pixels than PIL takes for safe.
    """
    try:
        return Image.open(file)
    except UnidentifiedImageError as error:
        raise ValueError(f'{name!r} is not an image') from error
    except Image.DecompressionBombError as error:
        raise ValueError(f'image {name!r} is too large: {error}') from error
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise ValueError(f'could not decode image {name!r}: {error}') from error
