# The same architecture at a size that trains from random weights on a CPU.
_base_ = ['./remamber-conv_vmamba-b.py', './vmamba-mini.py']
model = dict(
    share_images=True,
    text_encoder=dict(width=64, layers=2, heads=4, pretrained=None, token_init_std=0.5),
    backbone=dict(
        image=dict(
            arch=_base_.mini_arch,
            init_cfg=dict(_delete_=True, **_base_.mini_init),
        ),
        fusion=dict(depth=1, scan_size=2, hidden_dim=64),
        text_dim=64,
    ),
    decode_head=dict(in_channels=[24, 48, 96, 192], channels=24),
)
