# What LAVT and LGFormer have in common: BERT, and Swin-B of window 12.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=0,
    size_divisor=1,
)
model = dict(
    type='ReferringSegmentor',
    data_preprocessor=data_preprocessor,
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
