_base_ = './mask-rcnn_vmamba-tiny-vanilla_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='base-vanilla',
        init_cfg=_base_.imagenet['base-vanilla'],
    ),
    neck=dict(in_channels=[128, 256, 512, 1024]),
)
train_dataloader = dict(batch_size=1)
