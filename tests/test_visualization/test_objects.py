# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of what is found, and how samples of the toolboxes become them."""

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from PIL import Image

from mmseg_remamber.analysis.answers import to_answer
from mmseg_remamber.visualization.objects import Answer, Found, draw_answers
from mmseg_remamber.visualization.palette import MASK_COLOURS

CLASSES = ('circle', '$quare', 'ring')


@pytest.fixture
def sample(tmp_path):
    pixels = np.full((20, 30, 3), 120, np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'picture.png')
    return BaseDataElement(metainfo=dict(img_path=str(tmp_path / 'picture.png')))


class Masks:
    """As mmdet's annotations have them."""

    def __init__(self, masks):
        self.masks = masks

    def __len__(self):
        return len(self.masks)

    def to_ndarray(self):
        return self.masks


def test_instances_of_a_high_score(sample):
    masks = np.zeros((2, 20, 30), np.uint8)
    masks[0, 2:5, 3:9] = 1
    boxes = torch.tensor([[3.0, 2, 9, 5], [0, 0, 4, 4]])
    sample.gt_instances = InstanceData(labels=torch.tensor([2, 0]), bboxes=boxes)
    sample.gt_instances.set_field(Masks(masks), 'masks', dtype=Masks)
    sample.pred_instances = InstanceData(
        labels=torch.tensor([1, 0]), bboxes=boxes, scores=torch.tensor([0.75, 0.25]),
        masks=torch.from_numpy(masks).bool(),
    )  # fmt: skip
    answer = to_answer(sample, least_score=0.5, background=None)
    assert answer.image.shape == (20, 30, 3)
    assert [thing.label for thing in answer.truth] == [2, 0]
    assert [thing.score for thing in answer.truth] == [None, None]
    (found,) = answer.prediction
    assert (found.label, found.score, found.box) == (1, 0.75, [3, 2, 9, 5])
    for thing in (found, answer.truth[0]):
        assert np.array_equal(thing.mask, masks[0].astype(bool))


def test_areas_but_of_the_background_and_what_is_ignored(sample):
    classes = torch.zeros(1, 20, 30, dtype=torch.uint8)
    classes[0, :4] = 2
    classes[0, 4:6] = 255
    sample.gt_sem_seg = PixelData(data=classes)
    sample.pred_sem_seg = PixelData(data=torch.ones_like(classes))
    answer = to_answer(sample, least_score=0.5, background=0)
    (truth,), (found,) = answer.truth, answer.prediction
    assert truth.label == 2
    assert truth.mask.sum() == 4 * 30 and truth.mask[:4].all()
    assert found.label == 1 and found.mask.all()
    assert len(to_answer(sample, least_score=0.5, background=None).truth) == 2


def test_a_class_of_the_whole_picture(sample):
    sample.gt_label = torch.tensor([1])
    sample.pred_label = torch.tensor([2])
    sample.pred_score = torch.tensor([0.1, 0.3, 0.6])
    answer = to_answer(sample, least_score=0.9, background=None)
    assert answer.truth == [Found(1)]
    assert (answer.prediction[0].label, answer.prediction[0].score) == (2, pytest.approx(0.6))


def test_neither(sample):
    with pytest.raises(ValueError, match='neither pred_instances'):
        to_answer(sample, least_score=0.5, background=None)


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert('RGB'))


def has(picture, colour):
    return bool((np.abs(picture.astype(int) - colour).max(-1) < 3).any())


@pytest.mark.parametrize('kind', ['box', 'mask'])
def test_each_class_has_its_colour(tmp_path, kind):
    image = np.full((20, 30, 3), 255, np.uint8)
    mask = np.zeros((20, 30), bool)
    mask[2:9, 3:20] = True
    thing = dict(box=dict(box=(3, 2, 20, 9), score=0.8), mask=dict(mask=mask))[kind]
    for labels in ((1, 2), (1, 0)):
        answers = [
            Answer(image, [Found(label, **thing) for label in labels], [Found(labels[0], **thing)])
        ]
        draw_answers(answers, CLASSES, tmp_path / 'drawn.png', title='title')
        picture = pixels_of(tmp_path / 'drawn.png')
        shown = {label for label in range(3) if has(picture, MASK_COLOURS[label])}
        assert shown == set(labels)


def test_a_wrong_class_is_seen(tmp_path):
    image = np.full((20, 30, 3), 255, np.uint8)
    pictures = []
    for label in (1, 2):
        answers = [Answer(image, [Found(1)], [Found(label, 0.5)])]
        draw_answers(answers, CLASSES, tmp_path / 'drawn.png', title='title')
        pictures.append((pixels_of(tmp_path / 'drawn.png') < 100).any(-1).sum())
    assert pictures[1] > 1.3 * pictures[0]  # ink of the cross and of the truth


def test_nothing_to_show(tmp_path):
    with pytest.raises(ValueError, match='nothing to show'):
        draw_answers([], CLASSES, tmp_path / 'drawn.png', title='title')
