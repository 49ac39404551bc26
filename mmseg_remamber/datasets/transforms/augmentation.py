# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Random changes of image and mask under which the sentence stays true."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.image import impad, imresize
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from .place_words import mirror_sentence, names_place

ON_SIDE_WORDS = ('swap', 'refuse')


def _check_order(step: BaseTransform, results: dict) -> None:
    missing = [key for key in ('img', 'gt_seg_map', 'text') if key not in results]
    if missing:
        raise KeyError(
            f'{type(step).__name__} must stand after LoadRefImage, ChooseSentence and LoadRefMask: '
            f'no {missing} yet'
        )


@TRANSFORMS.register_module()
class RandomRefFlip(BaseTransform):
    """Mirror image, mask and sentence.

    Left and right change places in the sentence, as
    :func:`.place_words.mirror_sentence` says. Where it cannot tell, nothing is mirrored.

    Required keys: img, gt_seg_map, text.
    Modified keys: img, gt_seg_map, text.
    Added keys: flip (bool).

    Args:
        prob: Probability of mirroring where the sentence admits it.
        on_side_words: 'swap', or 'refuse' to mirror a sentence that would change.

    Raises:
        ValueError: ``prob`` outside [0, 1], unknown ``on_side_words``, or the sentence is already
            tokenised, so that a swap would not reach the model.
        KeyError: A required key is missing, because the step that makes it comes later.
    """

    def __init__(self, prob: float = 0.5, on_side_words: str = 'swap'):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be in [0, 1], got {prob!r}')
        if on_side_words not in ON_SIDE_WORDS:
            raise ValueError(f'on_side_words must be one of {ON_SIDE_WORDS}, got {on_side_words!r}')
        self.prob = prob
        self.on_side_words = on_side_words

    def transform(self, results: dict) -> dict:
        _check_order(self, results)
        if 'token_ids' in results:
            raise ValueError('RandomRefFlip must stand before TokenizeText')
        text = mirror_sentence(results['text'])
        admitted = text is not None and (self.on_side_words == 'swap' or text == results['text'])
        # asked for whether or not it is admitted: later steps get the same numbers either way
        chosen = np.random.rand() < self.prob  # noqa: NPY002
        results['flip'] = bool(chosen and admitted)
        if results['flip']:
            results['text'] = text
            results['img'] = cv2.flip(results['img'], 1)
            results['gt_seg_map'] = cv2.flip(results['gt_seg_map'], 1)
        return results


@TRANSFORMS.register_module()
class RefLargeScaleJitter(BaseTransform):
    """Scale at random, then cut or pad to one size; takes the place of ``Resize``.

    Large-scale jitter (Ghiasi et al., Simple Copy-Paste, CVPR 2021) that keeps the object. The
    image, its shape kept, is brought to ``ratio`` times the largest size that fits ``scale``.
    Where it is larger, the window is chosen at random, each with the same probability, from all
    those with at least ``min_object_share`` of the object's pixels. Where there is none, or the
    object has shrunk to nothing, the whole image is fitted instead (ratio 1).

    A sentence that names a place ('left', 'top', 'second', ...) need not be true of a part of the
    image. It gets ratios of at most 1, which cut nothing, and the image in the middle of the frame.

    Required keys: img, gt_seg_map, text.
    Modified keys: img ((H, W, 3)), gt_seg_map ((H, W)).
    Added keys: img_shape, scale_factor ((width, height)).

    Args:
        scale: (W, H) of the result in pixels.
        ratio_range: Lowest and highest ratio.
        min_object_share: In (0, 1]; share of the mask that a window must hold.
        crop_place_words: Treat all sentences alike, cutting also where they name a place.
        pad_val: BGR around a smaller image; ImageNet's mean by default.

    Raises:
        ValueError: An argument out of range.
        KeyError: A required key is missing, because the step that makes it comes later.
    """

    def __init__(
        self,
        scale: tuple[int, int],
        ratio_range: tuple[float, float] = (0.1, 2.0),
        *,
        min_object_share: float = 0.5,
        crop_place_words: bool = False,
        pad_val: Sequence[int] = (104, 116, 124),
    ):
        if len(scale) != 2 or min(scale) < 1:
            raise ValueError(f'scale must be a positive (width, height), got {scale!r}')
        if not 0 < ratio_range[0] <= ratio_range[1]:
            raise ValueError(f'ratio_range must be 0 < lowest <= highest, got {ratio_range!r}')
        if not 0 < min_object_share <= 1:
            raise ValueError(f'min_object_share must be in (0, 1], got {min_object_share!r}')
        self.scale = tuple(scale)
        self.ratio_range = tuple(ratio_range)
        self.min_object_share = min_object_share
        self.crop_place_words = crop_place_words
        self.pad_val = tuple(pad_val)

    def transform(self, results: dict) -> dict:
        _check_order(self, results)
        image, mask = results['img'], results['gt_seg_map']
        ratio = np.random.uniform(*self.ratio_range)  # noqa: NPY002
        in_place = not self.crop_place_words and names_place(results['text'])
        if in_place:
            ratio = min(ratio, 1.0)
        size = self._size(image, ratio)
        small_mask = _resize(mask, size, 'nearest')
        corner = self._choose_window(small_mask, is_empty=not mask.any())
        if corner is None:
            size, corner = self._size(image, 1.0), (0, 0)
            small_mask = _resize(mask, size, 'nearest')
        space = [max(0, frame - side) for frame, side in zip(self.scale, size)]
        left, top = (s // 2 if in_place else np.random.randint(s + 1) for s in space)  # noqa: NPY002
        where = dict(corner=corner, left=left, top=top)
        results['img'] = self._frame(_resize(image, size, 'bilinear'), self.pad_val, **where)
        results['gt_seg_map'] = self._frame(small_mask, 0, **where)
        results['img_shape'] = results['img'].shape[:2]
        results['scale_factor'] = (size[0] / image.shape[1], size[1] / image.shape[0])
        return results

    def _size(self, image: np.ndarray, ratio: float) -> tuple[int, int]:
        """Compute the (width, height) that the image is resized to."""
        height, width = image.shape[:2]
        factor = ratio * min(self.scale[0] / width, self.scale[1] / height)
        return max(1, round(width * factor)), max(1, round(height * factor))

    def _choose_window(self, mask: np.ndarray, *, is_empty: bool) -> tuple[int, int] | None:
        """Choose (x, y) of a window's corner; None where no window holds enough of the object."""
        if not is_empty and not mask.any():
            return None
        width, height = (min(*pair) for pair in zip(self.scale, mask.shape[::-1]))
        sums = cv2.integral(mask)  # (h + 1, w + 1): pixels above and to the left
        inside = (
            sums[height:, width:] - sums[:-height, width:]
            - sums[height:, :-width] + sums[:-height, :-width]
        )  # fmt: skip
        allowed = np.flatnonzero(inside >= self.min_object_share * sums[-1, -1])
        if not len(allowed):
            return None
        y, x = np.unravel_index(np.random.choice(allowed), inside.shape)  # noqa: NPY002
        return int(x), int(y)

    def _frame(
        self,
        array: np.ndarray,
        pad_val: Sequence[int] | int,
        *,
        corner: tuple[int, int],
        left: int,
        top: int,
    ) -> np.ndarray:
        """Cut the window at ``corner`` and put it at (left, top) of a frame of the final size."""
        width, height = self.scale
        x, y = corner
        window = array[y : y + height, x : x + width]
        right, bottom = width - left - window.shape[1], height - top - window.shape[0]
        return impad(window, padding=(left, top, right, bottom), pad_val=pad_val)


def _resize(array: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    return imresize(array, size, interpolation=interpolation, backend='pillow')
