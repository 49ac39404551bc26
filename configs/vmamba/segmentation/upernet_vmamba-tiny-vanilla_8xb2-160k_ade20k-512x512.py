_base_ = './upernet_vmamba-tiny-s1l8_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='tiny-vanilla',
        drop_path_rate=0.3,
        crop_odd_maps=True,
        init_cfg=_base_.imagenet['tiny-vanilla'],
    ),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=_base_.decay_of_vanilla))
