# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Image and mask from disk."""

import numpy as np
from mmcv.image import rgb2bgr
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmseg.registry import TRANSFORMS

from mmseg_remamber.datasets.masks import unite_masks


@TRANSFORMS.register_module()
class LoadRefImage(LoadImageFromFile):
    """Load an image by PIL, as the published loaders do; errors name the file.

    EXIF orientation is ignored: COCO's masks lie on the pixels as stored. PIL, unlike OpenCV,
    refuses a truncated file.

    Required keys: img_path; height, width (optional, int: checked against the file).
    Added keys: img ((H, W, 3) uint8 BGR), img_shape, ori_shape ((H, W)).

    Args:
        backend_args: As in :class:`mmcv.transforms.LoadImageFromFile`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not an image, truncated, or not of the size that its record has.
    """

    def __init__(self, *, backend_args: dict | None = None):
        super().__init__(
            color_type='color_ignore_orientation',
            imdecode_backend='pillow',
            backend_args=backend_args,
        )

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        try:
            results = super().transform(results)
        except FileNotFoundError as e:
            raise FileNotFoundError(f'no image {path}') from e
        except (OSError, SyntaxError) as e:  # PIL raises the latter for damaged PNG chunks
            raise ValueError(f'could not decode image {path}: {e}') from e
        height, width = results['ori_shape']
        expected = results.get('height', height), results.get('width', width)
        if (height, width) != expected:
            raise ValueError(
                f'image {path} is {width}x{height}, its record says {expected[1]}x{expected[0]}'
            )
        # mmcv's BGR is a view of RGB backwards, which numpy copies slowly
        results['img'] = rgb2bgr(np.ascontiguousarray(results['img'][..., ::-1]))
        return results


@TRANSFORMS.register_module()
class LoadRefMask(BaseTransform):
    """Decode the mask of what the sentence means, all parts of all objects united.

    The mask has the image's own size wherever this step stands. Before a resize the mask is
    resized with the image (training); after it, it stays as it is (test: truth is compared at
    the image's own size).

    Required keys: height, width (of the image); ref_id and ann_id (optional, for messages); and
    one of
        - segmentation: one object, in a form of :mod:`mmseg_remamber.datasets.masks`;
        - segmentations: a list of such, none of them where the sentence has no target (gRefCOCO).
    Added keys: gt_seg_map ((H, W) uint8 in {0, 1}), no_target (bool), seg_fields.

    Raises:
        KeyError: Not one of segmentation and segmentations.
        InvalidMask: An object's mask cannot be decoded or has no pixel; names the ids.
    """

    def transform(self, results: dict) -> dict:
        size = results['height'], results['width']
        given = [key for key in ('segmentation', 'segmentations') if key in results]
        if len(given) != 1:
            raise KeyError(f'LoadRefMask needs segmentation or segmentations, got {given}')
        known = (('ref', 'ref_id'), ('annotation', 'ann_id'))
        ids = [f'{name} {results[key]}' for name, key in known if key in results]
        is_one = given == ['segmentation']
        objects = [results['segmentation']] if is_one else results['segmentations']
        name = ', '.join(ids) or 'an entry without ids'
        mask = unite_masks(objects, *size, name, refuse_empty=True)
        results['gt_seg_map'] = mask
        results['no_target'] = not objects
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results
