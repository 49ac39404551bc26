# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Square pictures as a backbone takes them, for figures of its inside."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

PICTURES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp')


def list_pictures(folder: Path) -> list[Path]:
    """List the pictures in a folder and below it, by name.

    Raises:
        FileNotFoundError: There are none.
    """
    files = sorted(path for path in folder.rglob('*') if path.suffix.lower() in PICTURES)
    if not files:
        raise FileNotFoundError(f'no pictures in {str(folder)!r}: none ends in {PICTURES}')
    return files


def load_square(path: Path, side: int, *, squash: bool = False) -> np.ndarray:
    """Read a picture, bicubically resized: its short side, then cropped at the centre.

    Args:
        path: Of the picture.
        side: Pixels of the result's.
        squash: Whether both sides are resized instead, and nothing is cropped.

    Returns:
        (side, side, 3) uint8 RGB.
    """
    with Image.open(path) as opened:
        picture = opened.convert('RGB')
    if squash:
        return np.array(picture.resize((side, side), Image.Resampling.BICUBIC))
    scale = side / min(picture.size)
    width, height = (max(side, int(scale * length)) for length in picture.size)
    resized = picture.resize((width, height), Image.Resampling.BICUBIC)
    return np.array(ImageOps.fit(resized, (side, side)))


def normalise(
    picture: np.ndarray,
    model: nn.Module,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Tensor:
    """Make a picture a batch of one as a model takes it.

    Args:
        picture: (H, W, 3) uint8 RGB.
        model: Whose data preprocessor gives mean and standard deviation.
        mean, std: Of R, G, B in [0, 255], instead of the model's.

    Returns:
        (1, 3, H, W) float on the model's device.

    Raises:
        ValueError: Neither the model's data preprocessor has them nor are they given.
    """
    preprocessor = model.data_preprocessor
    for name, given in (('mean', mean), ('std', std)):
        if given is None and not hasattr(preprocessor, name):
            raise ValueError(f"--{name} is needed: the config's data preprocessor has none")
    device = next(model.parameters()).device
    mean, std = (
        getattr(preprocessor, name) if given is None else torch.tensor(given).view(3, 1, 1)
        for name, given in (('mean', mean), ('std', std))
    )
    img = torch.from_numpy(picture).permute(2, 0, 1).float().to(device)
    return ((img - mean.to(device)) / std.to(device))[None]


def image_trunk(model: nn.Module) -> nn.Module:
    """The part of a model of any toolbox that sees the image alone."""
    return getattr(model.backbone, 'image', model.backbone)
