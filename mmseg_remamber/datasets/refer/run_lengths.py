# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""COCO's compressed run lengths, read with the checks that pycocotools does not make."""

import numpy as np


def read_runs(counts: str | bytes) -> np.ndarray:
    """Run lengths of COCO's compressed counts: (n,) int64, of which none is checked.

    Each number is written in groups of five bits, low group first, in two's complement, each
    group plus 48, the sixth bit saying that more follow; from the fourth number on it is the
    difference from the one two before (cocoapi, maskApi.c, rleToString).

    Raises:
        ValueError: It is no such text.
    """
    try:
        text = counts.encode('ascii') if isinstance(counts, str) else counts
    except UnicodeEncodeError as e:
        raise ValueError(f'RLE counts have the character {counts[e.start]!r}') from e
    digits = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if not len(digits):
        raise ValueError('RLE counts are empty')
    wrong = np.flatnonzero((digits < 0) | (digits > 63))
    if len(wrong):
        raise ValueError(f'RLE counts have the character {chr(text[wrong[0]])!r}')
    if digits[-1] & 32:
        raise ValueError('RLE counts end within a number')
    ends = np.flatnonzero(digits & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 6:  # 30 bits are more than any image has pixels
        raise ValueError('RLE counts have a number of more than 30 bits')
    place = np.arange(len(digits)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((digits & 31) << (5 * place), starts)
    numbers -= np.where(digits[ends] & 16, 1 << (5 * lengths), 0)  # sign
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers
