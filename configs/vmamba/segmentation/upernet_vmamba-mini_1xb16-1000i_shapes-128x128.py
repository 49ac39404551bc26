# In small: from random weights on a CPU, with thin heads; the first class is the background.
_base_ = [
    '../_base_/upernet.py',
    '../_base_/schedule_160k.py',
    '../_base_/runtime.py',
    '../../_base_/models/vmamba-mini.py',
    '../_base_/shapes.py',
]
_size = (128, 128)
_norm = dict(type='BN', requires_grad=True)
# most pixels are background and soon known to be
_hard_pixels = dict(type='OHEMPixelSampler', thresh=0.7, min_kept=1000)
data_preprocessor = dict(size=_size)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(arch=_base_.mini_arch, init_cfg=_base_.mini_init),
    decode_head=dict(
        in_channels=[24, 48, 96, 192],
        channels=48,
        num_classes=7,
        norm_cfg=_norm,
        sampler=_hard_pixels,
    ),
    auxiliary_head=dict(
        in_channels=96, channels=24, num_classes=7, norm_cfg=_norm, sampler=_hard_pixels
    ),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=_size, keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=_size, keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
_dataset = dict(
    type='BaseSegDataset',
    data_root=_base_.shapes_root,
    metainfo=dict(classes=('background', *_base_.shapes)),
    img_suffix='.jpg',
)
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        **_dataset,
        data_prefix=dict(img_path='images/train', seg_map_path='semantic/train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        **_dataset,
        data_prefix=dict(img_path='images/val', seg_map_path='semantic/val'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(lr=4e-3), clip_grad=dict(max_norm=5.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=False, begin=50, end=1000),
]
train_cfg = dict(max_iters=1000, val_interval=250)
default_hooks = dict(checkpoint=dict(interval=1000))
auto_scale_lr = dict(base_batch_size=16)
