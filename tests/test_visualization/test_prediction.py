# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image
from torch import ones

from mmseg_remamber.visualization import Prediction, to_prediction


def test_iou():
    image, (truth, guess, empty) = np.zeros((40, 60, 3), np.uint8), np.zeros((3, 40, 60), bool)
    truth[:20], guess[10:30] = True, True
    assert Prediction(image, 'x', truth, guess).iou == pytest.approx(10 / 30)
    assert Prediction(image, 'x', empty, empty).iou == 0.0


def test_pictures_keep_their_colours_and_their_pixels_as_stored(tmp_path):
    """Red, and turned by EXIF, which the masks of COCO do not follow."""
    picture = Image.new('RGB', (40, 30), (250, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / 'a.jpg', exif=exif)
    sample = SegDataSample(metainfo=dict(img_path=str(tmp_path / 'a.jpg'), text='a'))
    sample.gt_sem_seg = sample.pred_sem_seg = PixelData(data=ones(1, 30, 40))
    item = to_prediction(sample)
    assert item.image.shape == (30, 40, 3)
    assert item.image[0, 0].tolist() == pytest.approx([250, 0, 0], abs=4)
    assert item.iou == 1
