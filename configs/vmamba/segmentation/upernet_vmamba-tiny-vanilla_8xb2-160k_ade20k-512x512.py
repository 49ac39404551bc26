_base_ = './upernet_vmamba-tiny-s1l8_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='tiny-vanilla',
        drop_path_rate=0.3,
        crop_odd_maps=True,
        init_cfg=dict(
            checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%23v0cls/'
            'vssmtiny_dp01_ckpt_epoch_292.pth',
        ),
    ),
)
# as in the first release, whose blocks' norms had names without "norm"
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys=dict(
            _delete_=True,
            norm=dict(decay_mult=0.0),
            stages=dict(decay_mult=1.0),
            out_norm=dict(decay_mult=0.0),
        )
    )
)
