_base_ = './upernet_vmamba-tiny-s1l8_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='small-s2l15',
        init_cfg=_base_.imagenet['small-s2l15'],
    ),
)
