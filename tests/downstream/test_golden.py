# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Published numbers of whole models: Mask R-CNN, and classifiers in mmpretrain."""

from pathlib import Path

import golden
import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from small_families import thin_detector

from mmseg_remamber.configuration import load_config
from mmseg_remamber.vmamba.weights import from_official

CONFIG = (
    Path(__file__).parents[2]
    / 'configs/vmamba/detection/mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
)


@pytest.fixture
def detector():
    cfg = load_config(CONFIG).model
    thin_detector(cfg, classes=5)
    cfg.backbone.arch = golden.SMALL_ARCH
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg).eval()
    model.load_state_dict(from_official(golden.weights('vmamba_maskrcnn_small')))
    return model


@torch.no_grad()
def test_published_mask_rcnn(detector):
    want = golden.arrays('vmamba_maskrcnn_small_96x128')
    maps = detector.extract_feat(want['img'])
    scores, boxes = detector.rpn_head(maps)
    for i in range(5):
        assert golden.relative(maps[i], want[f'fpn{i}']) < 1e-5
        assert golden.relative(scores[i], want[f'rpn_cls{i}']) < 1e-5
        assert golden.relative(boxes[i], want[f'rpn_box{i}']) < 1e-5
    found = detector.roi_head._bbox_forward(maps, want['rois'])
    assert golden.relative(found['cls_score'], want['roi_cls']) < 1e-5
    assert golden.relative(found['bbox_pred'], want['roi_box']) < 1e-5
    masks = detector.roi_head._mask_forward(maps, want['rois'])
    assert golden.relative(masks['mask_preds'], want['roi_mask']) < 1e-5


@torch.no_grad()
def test_published_classifier():
    """mmpretrain's ImageClassifier takes every key of a converted file."""
    want = golden.arrays('vmamba_tiny_s1l8_96x64')
    cfg = dict(
        type='ImageClassifier',
        backbone=dict(type='VMamba', arch='tiny-s1l8', out_indices=(3,)),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=want['logits'].shape[1], in_channels=768),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg).eval()
    model.load_state_dict(from_official(golden.weights('vmamba_tiny_s1l8')))
    assert golden.relative(model(want['img']), want['logits']) < 1e-5
