# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a classifier, detector or semantic segmentor of any toolbox says of a picture."""

import numpy as np
from mmengine.structures import BaseDataElement

from mmseg_remamber.datasets.decoding import decode_picture, open_picture
from mmseg_remamber.visualization.objects import Answer, Found


def to_answer(sample: BaseDataElement, *, least_score: float, background: int | None) -> Answer:
    """Read truth and prediction of a tested sample.

    Args:
        sample: As ``test_step`` returns it: with ``pred_instances``, ``pred_sem_seg`` or
            ``pred_label`` and the truth beside it.
        least_score: Of instances to show, in [0, 1].
        background: The class of semantic maps that is not shown.

    Raises:
        ValueError: It has none of these.
        FileNotFoundError: There is no such picture any more.
    """
    with open_picture(sample.img_path, sample.img_path) as picture:
        image = decode_picture(picture, sample.img_path, turn=False)[..., ::-1]
    if 'pred_instances' in sample:
        found = [thing for thing in _instances(sample.pred_instances) if thing.score >= least_score]
        return Answer(image, _instances(sample.gt_instances), found)
    if 'pred_sem_seg' in sample:
        return Answer(
            image,
            _areas(sample.gt_sem_seg, background),
            _areas(sample.pred_sem_seg, background),
        )
    if 'pred_label' in sample:
        label = int(sample.pred_label)
        prediction = Found(label, float(sample.pred_score[label]))
        return Answer(image, [Found(int(sample.gt_label))], [prediction])
    raise ValueError(
        f'sample has neither pred_instances, pred_sem_seg nor pred_label; it has {sample.keys()}'
    )


def _instances(instances: BaseDataElement) -> list[Found]:
    masks = instances.get('masks')
    if masks is not None and not hasattr(masks, 'detach'):
        masks = masks.to_ndarray()  # of an annotation
    scores = instances.get('scores')
    return [
        Found(
            int(label),
            None if scores is None else float(scores[i]),
            None if masks is None else np.asarray(masks[i]).astype(bool),
            np.asarray(getattr(box, 'tensor', box)).ravel().tolist(),
        )
        for i, (label, box) in enumerate(zip(instances.labels, instances.bboxes, strict=True))
    ]


def _areas(pixels: BaseDataElement, background: int | None) -> list[Found]:
    classes = pixels.data.squeeze(0).cpu().numpy()
    ignored = 255
    labels = [label for label in np.unique(classes) if label not in (background, ignored)]
    return [Found(int(label), mask=classes == label) for label in labels]
