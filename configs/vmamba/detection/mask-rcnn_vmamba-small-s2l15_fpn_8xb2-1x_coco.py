_base_ = './mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='small-s2l15',
        init_cfg=_base_.imagenet['small-s2l15'],
    ),
)
