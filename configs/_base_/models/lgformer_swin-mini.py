# The same architecture at a size that trains from random weights on a CPU.
_base_ = './swin-mini.py'
model = dict(
    backbone=dict(fusion=dict(type='LGFormerFusion')),
    decode_head=dict(
        type='LGFormerHead',
        in_channels=[24, 48, 96, 192],
        text_dim=64,
        num_tokens=20,
        channels=32,
        rounds=2,
        layers=3,
        heads=4,
        ffn_dim=64,
        attn_ffn_dim=128,
        losses=[
            dict(type='BinaryDiceLoss', loss_name='loss_dice'),
            dict(
                type='CrossEntropyLoss',
                use_sigmoid=True,
                avg_non_ignore=True,
                class_weight=[1.1],
                loss_name='loss_bce',
            ),
        ],
        auxiliary_weights=[0.3] * 3,
    ),
)
