# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""COCO's polygons and run lengths to masks, by pycocotools, after what it does not check.

pycocotools takes a polygon of two points for a box, leaves undefined what short run lengths do not
reach, and reads on past the end of a cut string.
"""

from collections.abc import Sequence
from itertools import chain
from numbers import Integral, Real

import numpy as np
from pycocotools import mask as coco_mask

from mmseg_remamber.datasets.refer.run_lengths import read_runs


def decode_mask(segmentation: dict | Sequence, height: int, width: int) -> np.ndarray:
    """The mask of one object, all of its parts united -> (height, width) uint8 in {0, 1}.

    Args:
        segmentation: List of polygons ([x0, y0, x1, y1, ...] in pixels), or RLE (``size`` and
            ``counts`` as str, bytes or list), or a list of RLEs as RefCLEF has it.
        height, width: Size of the image.

    Raises:
        ValueError: No part, a part that is neither polygon nor RLE, a polygon of fewer than three
            points or with coordinates that are not finite or farther than an image's size away, an
            RLE of another size, with damaged counts or counts that do not fill the image.
    """
    return coco_mask.decode(coco_mask.merge(_encode(segmentation, height, width)))


def unite_masks(segmentations: Sequence, height: int, width: int) -> np.ndarray:
    """The masks of several objects united, as :func:`decode_mask`; of none: all zeros."""
    rles = [_encode(segmentation, height, width) for segmentation in segmentations]
    if not rles:
        return np.zeros((height, width), np.uint8)
    return coco_mask.decode(coco_mask.merge(list(chain.from_iterable(rles))))


def _encode(segmentation: dict | Sequence, height: int, width: int) -> list[dict]:
    """Parts of one object -> compressed RLEs."""
    parts = [segmentation] if isinstance(segmentation, dict) else segmentation
    if not isinstance(parts, (list, tuple)) or not parts:
        raise ValueError(f'segmentation must be an RLE or a list of parts, got {_brief(parts)}')
    rles = []
    for part in parts:
        if isinstance(part, dict):
            rles.append(_encode_rle(part, height, width))
        else:
            _check_polygon(part, height, width)
            rles += coco_mask.frPyObjects([part], height, width)
    return rles


def _check_polygon(polygon: Sequence[float], height: int, width: int) -> None:
    if not isinstance(polygon, (list, tuple)) or not all(isinstance(v, Real) for v in polygon):
        raise ValueError(f'a part must be an RLE or a list of coordinates, got {_brief(polygon)}')
    if len(polygon) < 6 or len(polygon) % 2:
        raise ValueError(
            f'polygons need three points or more, got {len(polygon)} numbers {_brief(polygon)}'
        )
    points = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    # also bounds what pycocotools, which walks along the outline, has to walk
    size = np.array([width, height])
    if not np.all((points >= -size) & (points <= 2 * size)):  # False for nan, too
        raise ValueError(f'polygon beyond the image of {width}x{height}: {_brief(polygon)}')


def _encode_rle(rle: dict, height: int, width: int) -> dict:
    size, counts = rle.get('size'), rle.get('counts')
    if not isinstance(size, (list, tuple)) or list(size) != [height, width]:
        raise ValueError(f'RLE of size {size}, the image has {[height, width]}')
    if isinstance(counts, list):
        runs = counts
        if not all(isinstance(run, Integral) for run in runs):
            raise ValueError(f'RLE counts must be integers, got {_brief(runs)}')
    elif isinstance(counts, (str, bytes)):
        runs = read_runs(counts).tolist()
    else:
        raise ValueError(f'RLE counts must be str, bytes or a list, got {_brief(counts)}')
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise ValueError(
            f'RLE counts must be lengths that sum to {height * width}, got a sum of {sum(runs)}'
        )
    if isinstance(counts, list):
        return coco_mask.frPyObjects(rle, height, width)
    return dict(size=[height, width], counts=counts)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'
