_base_ = '../_base_/mask_rcnn_1x.py'
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
