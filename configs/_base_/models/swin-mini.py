# The text encoder of ReMamber's mini models, and a Swin that trains from random weights on a CPU.
_base_ = './swin-b_bert.py'
model = dict(
    share_images=True,
    text_encoder=dict(
        _delete_=True,
        type='CLIPSentenceEncoder',
        width=64,
        layers=2,
        heads=4,
        token_init_std=0.5,
    ),
    backbone=dict(
        image=dict(
            dim=24,
            depths=(2, 2, 2, 2),
            num_heads=(2, 4, 8, 16),
            window_size=5,
            drop_path_rate=0.0,
            # Swin's own is made for widths of 96 and more
            init_cfg=dict(
                _delete_=True,
                type='Kaiming',
                layer='Linear',
                mode='fan_in',
                nonlinearity='linear',
            ),
        ),
        text_dim=64,
    ),
)
