_base_ = './mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='tiny-vanilla',
        drop_path_rate=0.2,
        init_cfg=_base_.imagenet['tiny-vanilla'],
    ),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=_base_.decay_of_vanilla))
