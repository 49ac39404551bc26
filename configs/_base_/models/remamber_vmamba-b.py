# ReMamber without its head: CLIP ViT-L/14 text model, VMamba-B (s2l15) with a Twister stage each.
_base_ = './referring_segmentor.py'
model = dict(
    text_encoder=dict(
        type='CLIPSentenceEncoder',
        width=768,
        layers=12,
        heads=12,
        pretrained='openai/clip-vit-large-patch14',
    ),
    backbone=dict(
        type='StagewiseFusion',
        image=dict(
            type='VMamba',
            arch='base-s2l15',
            out_indices=(),
            init_cfg=dict(
                type='Pretrained',
                checkpoint='https://github.com/MzeroMiko/VMamba/releases/download/%23v2cls/'
                'vssm_base_0229_ckpt_epoch_237.pth',
            ),
        ),
        fusion=dict(type='TwisterFusion', depth=2, scan_size=16, hidden_dim=512),
        text_dim=768,
        num_tokens=20,
    ),
    decode_head=dict(
        losses=[
            dict(type='BinaryDiceLoss', loss_name='loss_dice'),
            dict(
                type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True, loss_name='loss_bce'
            ),
        ],
    ),
)
