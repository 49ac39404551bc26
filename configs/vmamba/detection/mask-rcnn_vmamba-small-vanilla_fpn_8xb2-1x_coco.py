_base_ = './mask-rcnn_vmamba-tiny-vanilla_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='small-vanilla',
        init_cfg=_base_.imagenet['small-vanilla'],
    ),
)
