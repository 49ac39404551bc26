_base_ = './swin-b_bert.py'
model = dict(
    text_encoder=dict(dropout=0.1, trained_layers=12),
    backbone=dict(fusion=dict(type='LGFormerFusion')),
    decode_head=dict(
        type='LGFormerHead',
        in_channels=[128, 256, 512, 1024],
        text_dim=768,
        num_tokens=20,
        losses=[
            dict(
                type='CrossEntropyLoss',
                use_sigmoid=True,
                avg_non_ignore=True,
                class_weight=[1.1],
                loss_name='loss_bce',
            ),
        ],
        auxiliary_weights=[1.0] * 6,
    ),
)
