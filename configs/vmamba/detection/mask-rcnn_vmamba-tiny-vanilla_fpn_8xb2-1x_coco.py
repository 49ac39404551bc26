_base_ = './mask-rcnn_vmamba-tiny-s1l8_fpn_8xb2-1x_coco.py'
model = dict(
    backbone=dict(
        arch='tiny-vanilla',
        drop_path_rate=0.2,
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
