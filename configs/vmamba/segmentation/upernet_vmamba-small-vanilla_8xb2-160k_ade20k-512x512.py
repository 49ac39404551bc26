_base_ = './upernet_vmamba-tiny-vanilla_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='small-vanilla',
        init_cfg=_base_.imagenet['small-vanilla'],
    ),
)
