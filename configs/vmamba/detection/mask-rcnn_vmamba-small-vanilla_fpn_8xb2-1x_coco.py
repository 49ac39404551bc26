_base_ = './mask-rcnn_vmamba-tiny-vanilla_fpn_8xb2-1x_coco.py'
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
