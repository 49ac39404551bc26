_base_ = ['./mask-rcnn_vmamba-tiny-s2l5_fpn_8xb2-1x_coco.py', '../_base_/ms_3x.py']
train_pipeline = _base_.ms_train_pipeline
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_epochs=36)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', begin=0, end=36, by_epoch=True, milestones=[27, 33], gamma=0.1),
]
