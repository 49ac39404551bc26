# The same architecture at a size that trains from random weights on a CPU.
_base_ = './swin-mini.py'
model = dict(
    backbone=dict(fusion=dict(type='LAVTFusion')),
    decode_head=dict(
        type='LAVTHead',
        in_channels=[24, 48, 96, 192],
        channels=24,
        losses=[
            dict(type='TwoClassDiceLoss', loss_name='loss_dice'),
            dict(
                type='CrossEntropyLoss',
                class_weight=[0.9, 1.1],
                loss_name='loss_ce',
            ),
        ],
    ),
)
