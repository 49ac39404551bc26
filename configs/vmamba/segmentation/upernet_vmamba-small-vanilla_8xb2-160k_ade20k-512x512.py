_base_ = './upernet_vmamba-tiny-vanilla_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='small-vanilla',
        init_cfg=dict(
            checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%23v0cls/'
            'vssmsmall_dp03_ckpt_epoch_238.pth',
            ema=True,
        ),
    ),
)
