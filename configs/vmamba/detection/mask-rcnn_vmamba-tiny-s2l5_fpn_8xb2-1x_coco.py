_base_ = './mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='tiny-s2l5',
        init_cfg=_base_.imagenet['tiny-s2l5'],
    ),
)
