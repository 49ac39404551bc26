# What LAVT and LGFormer have in common: BERT, and Swin-B of window 12.
_base_ = './referring_segmentor.py'
model = dict(
    text_encoder=dict(type='BERTSentenceEncoder', pretrained='bert-base-uncased'),
    backbone=dict(
        type='StagewiseFusion',
        image=dict(
            type='SwinTrunk',
            dim=128,
            depths=(2, 2, 18, 2),
            num_heads=(4, 8, 16, 32),
            window_size=12,
            drop_path_rate=0.3,
            init_cfg=dict(
                type='Pretrained',
                checkpoint='https://github.com/SwinTransformer/storage/releases/download/v1.0.0/'
                'swin_base_patch4_window12_384_22k.pth',
            ),
        ),
        text_dim=768,
        num_tokens=20,
    ),
)
