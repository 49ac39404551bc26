_base_ = './upernet_vmamba-tiny-s1l8_8xb2-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch='small-s2l15',
        init_cfg=dict(
            checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%23v2cls/'
            'vssm_small_0229_ckpt_epoch_222.pth',
        ),
    ),
)
