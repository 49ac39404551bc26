# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Image and mask from disk."""

import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmseg.registry import TRANSFORMS
from pycocotools import mask as coco_mask


@TRANSFORMS.register_module()
class LoadRefImage(LoadImageFromFile):
    """Load an image by PIL, as the published loaders do, and say which one could not be.

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
        results['img'] = np.ascontiguousarray(results['img'])
        return results


@TRANSFORMS.register_module()
class LoadRefMask(BaseTransform):
    """Decode the mask of the object meant, by pycocotools, all of its polygons united.

    The mask has the image's own size wherever this step stands. Before a resize the mask is
    resized with the image (training); after it, it stays as it is (test: truth is compared at
    the image's own size).

    Required keys: segmentation (list of polygons in pixels, or RLE with ``counts`` as str, bytes
    or list), height, width, ann_id (for messages).
    Added keys: gt_seg_map ((H, W) uint8 in {0, 1}), seg_fields.

    Raises:
        ValueError: A polygon of fewer than three points, or an RLE of another size.
    """

    def transform(self, results: dict) -> dict:
        height, width = results['height'], results['width']
        segmentation = results['segmentation']
        name = f'annotation {results["ann_id"]}'
        if isinstance(segmentation, dict):
            if tuple(segmentation['size']) != (height, width):
                raise ValueError(
                    f'{name}: RLE of size {segmentation["size"]}, the image has {[height, width]}'
                )
            if isinstance(segmentation['counts'], list):
                segmentation = coco_mask.frPyObjects(segmentation, height, width)
            mask = coco_mask.decode(segmentation)
        else:
            # four numbers would be read as a box
            if any(len(polygon) < 6 or len(polygon) % 2 for polygon in segmentation):
                raise ValueError(
                    f'{name}: polygons need three points or more, got {min(segmentation, key=len)}'
                )
            rles = coco_mask.frPyObjects(segmentation, height, width)
            mask = coco_mask.decode(coco_mask.merge(rles))
        results['gt_seg_map'] = mask
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results
