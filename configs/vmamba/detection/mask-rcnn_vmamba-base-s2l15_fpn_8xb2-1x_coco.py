_base_ = './mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='base-s2l15',
        init_cfg=dict(
            checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%23v2cls/'
            'vssm_base_0229_ckpt_epoch_237.pth',
        ),
    ),
    neck=dict(in_channels=[128, 256, 512, 1024]),
)
