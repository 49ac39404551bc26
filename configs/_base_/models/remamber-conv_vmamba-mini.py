# The same architecture at a size that trains from random weights on a CPU.
_base_ = './remamber-conv_vmamba-b.py'
model = dict(
    share_images=True,
    text_encoder=dict(width=64, layers=2, heads=4, pretrained=None, token_init_std=0.5),
    backbone=dict(
        image=dict(
            arch=dict(
                _delete_=True,
                dim=24,
                depths=(1, 1, 2, 1),
                state_dim=1,
                ssm_ratio=2.0,
                gated=False,
                conv_bias=False,
                mlp_ratio=4.0,
                patch_embed='v2',
                downsample='v3',
                drop_path_rate=0.0,
            ),
            # VMamba's own is made for widths of 96 and more
            init_cfg=dict(
                _delete_=True,
                type='Kaiming',
                layer='Linear',
                mode='fan_in',
                nonlinearity='linear',
            ),
        ),
        fusion=dict(depth=1, scan_size=2, hidden_dim=64),
        text_dim=64,
    ),
    decode_head=dict(in_channels=[24, 48, 96, 192], channels=24),
)
