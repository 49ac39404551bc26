# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Image and mask from disk."""

import io

from mmcv.transforms import BaseTransform
from mmengine import fileio
from mmseg.registry import TRANSFORMS

from mmseg_remamber.datasets.decoding import decode_picture, open_picture
from mmseg_remamber.datasets.masks import unite_masks


@TRANSFORMS.register_module()
class LoadRefImage(BaseTransform):
    """Load an image as :func:`~mmseg_remamber.datasets.decoding.decode_picture` does.

    EXIF orientation is ignored: COCO's masks lie on the pixels as stored.

    Required keys: img_path; height, width (optional, int: checked against the file).
    Added keys: img ((H, W, 3) uint8 BGR), img_shape, ori_shape ((H, W)).

    Args:
        backend_args: As of :func:`mmengine.fileio.get`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not an image, truncated, or not of the size that its record has.
    """

    def __init__(self, *, backend_args: dict | None = None):
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        try:
            data = fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError as e:
            raise FileNotFoundError(f'no image {path}') from e
        with open_picture(io.BytesIO(data), path) as image:
            img = decode_picture(image, path, turn=False)
        height, width = img.shape[:2]
        expected = results.get('height', height), results.get('width', width)
        if (height, width) != expected:
            raise ValueError(
                f'image {path} is {width}x{height}, its record says {expected[1]}x{expected[0]}'
            )
        results.update(img=img, img_shape=(height, width), ori_shape=(height, width))
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
