# In small: from random weights on a CPU, with thin heads and anchors for small objects.
_base_ = [
    '../_base_/mask_rcnn_1x.py',
    '../../_base_/models/vmamba-mini.py',
    '../_base_/shapes.py',
]
_width = 64
_norm = dict(type='GN', num_groups=16)
model = dict(
    backbone=dict(arch=_base_.mini_arch, init_cfg=_base_.mini_init),
    neck=dict(in_channels=[24, 48, 96, 192], out_channels=_width, norm_cfg=_norm),
    rpn_head=dict(in_channels=_width, feat_channels=_width, anchor_generator=dict(scales=[4])),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=_width),
        bbox_head=dict(in_channels=_width, fc_out_channels=256, num_classes=6),
        mask_roi_extractor=dict(out_channels=_width),
        mask_head=dict(num_convs=2, in_channels=_width, conv_out_channels=_width, num_classes=6),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=200),
        rcnn=dict(sampler=dict(num=64)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=200)),
)
_size = (128, 128)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='Resize', scale=_size, keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=_size, keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
_classes = dict(classes=_base_.shapes)
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        data_root=_base_.shapes_root,
        ann_file='instances_train.json',
        data_prefix=dict(img='images/train/'),
        metainfo=_classes,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        data_root=_base_.shapes_root,
        ann_file='instances_val.json',
        data_prefix=dict(img='images/val/'),
        metainfo=_classes,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=_base_.shapes_root + 'instances_val.json')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=5.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR', eta_min=0.0, by_epoch=True, begin=0, end=4,
        convert_to_iter_based=True,
    ),
]  # fmt: skip
train_cfg = dict(max_epochs=4, val_interval=1)
auto_scale_lr = dict(base_batch_size=8)
