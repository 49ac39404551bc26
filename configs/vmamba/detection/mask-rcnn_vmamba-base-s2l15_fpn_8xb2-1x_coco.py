_base_ = './mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='base-s2l15',
        init_cfg=_base_.imagenet['base-s2l15'],
    ),
    neck=dict(in_channels=[128, 256, 512, 1024]),
)
