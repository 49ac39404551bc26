# LAVT's `lavt`: its program never switches BERT to training, so that it has no dropout, and does
# not give the embeddings and the last two layers to the optimiser.
_base_ = './swin-b_bert.py'
model = dict(
    text_encoder=dict(dropout=0.0, trained_layers=10),
    backbone=dict(fusion=dict(type='LAVTFusion')),
    decode_head=dict(
        type='LAVTHead',
        in_channels=[128, 256, 512, 1024],
        channels=512,
        losses=[
            dict(
                type='CrossEntropyLoss',
                class_weight=[0.9, 1.1],
                loss_name='loss_ce',
            ),
        ],
    ),
)
