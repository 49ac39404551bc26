# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""From a dict of arrays to what a segmentor takes."""

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample

_META_KEYS = (
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'text',
    'num_tokens',
    'truncated',
    'no_target',
    'ref_id',
    'ann_id',
    'sent_id',
    'sample_idx',
)


@TRANSFORMS.register_module()
class PackRefSegInputs(BaseTransform):
    """Pack image, truth and tokens.

    Required keys: img ((H, W, 3) uint8), token_ids ((T,) int64), token_mask ((T,) bool),
    gt_seg_map (optional, (h, w) uint8).

    Returns a dict of:
        inputs: (3, H, W) uint8 tensor.
        data_samples: :class:`mmseg.structures.SegDataSample` with ``token_ids``, ``token_mask``
            and, where there is truth, ``gt_sem_seg`` (data: (1, h, w) uint8). They are data
            fields: the data preprocessor moves them to the device.

    Args:
        meta_keys: Keys of the results that become metainfo, those that are there.
    """

    def __init__(self, meta_keys: Sequence[str] = _META_KEYS):
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        image = np.ascontiguousarray(results['img'].transpose(2, 0, 1))
        sample = SegDataSample(metainfo={k: results[k] for k in self.meta_keys if k in results})
        sample.set_data(dict(token_ids=results['token_ids'], token_mask=results['token_mask']))
        if 'gt_seg_map' in results:
            truth = np.ascontiguousarray(results['gt_seg_map'])[None]
            sample.gt_sem_seg = PixelData(data=torch.from_numpy(truth))
        return dict(inputs=torch.from_numpy(image), data_samples=sample)
