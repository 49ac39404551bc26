# In small: cut-outs of single objects, from random weights on a CPU.
_base_ = [
    '../_base_/imagenet_300e.py',
    '../../_base_/models/vmamba-mini.py',
    '../_base_/shapes.py',
]
data_preprocessor = dict(num_classes=6)
model = dict(
    backbone=dict(arch=_base_.mini_arch, init_cfg=_base_.mini_init),
    head=dict(in_channels=192, num_classes=6),
    train_cfg=dict(_delete_=True),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(48, 48)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(48, 48)),
    dict(type='PackInputs'),
]
# the folders of a split are its classes, in alphabetical order
_dataset = dict(_delete_=True, type='CustomDataset', data_root=_base_.shapes_root)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(**_dataset, data_prefix='cutouts/train', pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=0,
    dataset=dict(**_dataset, data_prefix='cutouts/val', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(topk=(1,))
test_evaluator = val_evaluator
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR', eta_min=0.0, by_epoch=True, begin=0, end=6,
        convert_to_iter_based=True,
    ),
]  # fmt: skip
train_cfg = dict(max_epochs=6)
# an average over ten thousand updates would hardly move in a run of hundreds
custom_hooks = []
auto_scale_lr = dict(base_batch_size=64)
