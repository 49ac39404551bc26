_base_ = '../_base_/mask_rcnn_1x.py'
model = dict(
    backbone=dict(
        arch='tiny-s1l8',
        init_cfg=_base_.imagenet['tiny-s1l8'],
    ),
)
