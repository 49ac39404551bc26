_base_ = './upernet_vmamba-tiny-vanilla_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='base-vanilla',
        init_cfg=dict(
            checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%2320240218/'
            'vssmbase_dp05_ckpt_epoch_260.pth',
        ),
    ),
    decode_head=dict(in_channels=[128, 256, 512, 1024]),
    auxiliary_head=dict(in_channels=512),
)
