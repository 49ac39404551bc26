_base_ = [
    '../_base_/upernet.py',
    '../_base_/ade20k.py',
    '../_base_/schedule_160k.py',
    '../_base_/runtime.py',
]
model = dict(
    backbone=dict(
        arch='tiny-s1l8',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%23v2cls/'
            'vssm1_tiny_0230s_ckpt_epoch_264.pth',
        ),
    ),
)
