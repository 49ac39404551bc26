# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures that a user hands in: files, URLs, folders, arrays, PIL images."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast
from urllib.parse import unquote, urlsplit

import numpy as np
from mmengine import fileio
from PIL import Image

from mmseg_remamber.datasets.decoding import decode_picture, open_picture

PictureInput = str | Path | np.ndarray | Image.Image
SUFFIXES = ('.bmp', '.gif', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


@dataclass(frozen=True, eq=False)
class Picture:
    """name: of what is written about it; image: (H, W, 3) uint8 BGR."""

    name: str
    image: np.ndarray


def list_pictures(inputs: PictureInput | Sequence[PictureInput]) -> list[PictureInput]:
    """One entry a picture: a list as it is, the image files of a folder in order, or what it is.

    Raises:
        ValueError: for a folder without image files, or an empty list.
    """
    if isinstance(inputs, (list, tuple)):
        pictures = [picture for entry in inputs for picture in list_pictures(entry)]
        if not pictures:
            raise ValueError('inputs is empty: no picture')
        return pictures
    if isinstance(inputs, (str, Path)) and Path(inputs).is_dir():
        files = sorted(f for f in Path(inputs).iterdir() if f.suffix.lower() in SUFFIXES)
        if not files:
            raise ValueError(f'folder {str(inputs)!r} has no image ({", ".join(SUFFIXES)})')
        return list(files)
    return [cast(PictureInput, inputs)]


def load_picture(source: PictureInput, number: int, *, shown_as: str | None = None) -> Picture:
    """Read a picture as people see it.

    It is decoded as the images of datasets are (:func:`decode_picture`) and turned as its EXIF
    orientation says, which those are not, as their masks lie on the pixels as stored.

    Args:
        source: path or URL; array (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, uint8, as
            OpenCV and MMSeg have it; or a PIL image.
        number: of the picture among the inputs, which names it where it has no file name.
        shown_as: what errors call it, and where its name comes from, in the place of the path.

    Raises:
        FileNotFoundError: no such file.
        OSError: a URL that cannot be read.
        TypeError: anything else.
        ValueError: not an image, a damaged or an empty one.
    """
    name = f'picture_{number}'
    if isinstance(source, Image.Image):
        return Picture(name, decode_picture(source, name, turn=True))
    if isinstance(source, np.ndarray):
        return Picture(name, _check_array(source))
    if not isinstance(source, (str, Path)):
        raise TypeError(
            f'a picture must be a path, URL, array or PIL image, got {type(source).__name__}'
        )
    shown_as = str(source) if shown_as is None else shown_as
    try:
        data = fileio.get(str(source))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'no picture {shown_as!r}') from error
    with open_picture(io.BytesIO(data), shown_as) as image:
        array = decode_picture(image, shown_as, turn=True)
    return Picture(_stem(shown_as) or name, array)


def _check_array(array: np.ndarray) -> np.ndarray:
    """-> (H, W, 3) uint8 BGR, contiguous"""
    if array.dtype != np.uint8:
        raise ValueError(f'a picture must be an array of uint8, got {array.dtype}')
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(
            f'a picture must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {array.shape}'
        )
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    if array.shape[2] == 4:
        alpha = array[..., 3:] / 255.0
        array = (array[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    return np.ascontiguousarray(array)


def _stem(source: str) -> str:
    """File name without its suffix, of a path or URL."""
    return (
        PurePosixPath(unquote(urlsplit(source).path)).stem
        if '://' in source
        else (Path(source).stem)
    )
