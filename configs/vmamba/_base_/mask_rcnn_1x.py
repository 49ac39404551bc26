# Mask R-CNN with FPN, and mmdet's schedule of 12 epochs with AdamW.
_base_ = [
    'mmdet::_base_/models/mask-rcnn_r50_fpn.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
    './runtime.py',
    './published.py',
]
model = dict(
    backbone=dict(_delete_=True, type='VMamba', arch='tiny-s1l8'),
    neck=dict(in_channels=[96, 192, 384, 768]),
)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=_base_.decay),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', begin=0, end=12, by_epoch=True, milestones=[8, 11], gamma=0.1),
]
train_cfg = dict(_delete_=True, type='ResumableEpochLoop', max_epochs=12, val_interval=1)
# a loop that resumes in the middle of an epoch deals out samples itself
train_dataloader = dict(batch_size=2, batch_sampler=None)
default_hooks = dict(
    checkpoint=dict(max_keep_ckpts=1, save_best='coco/bbox_mAP', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
