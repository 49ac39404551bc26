# A VMamba that trains from random weights on a CPU.
mini_arch = dict(
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
)
# VMamba's own is made for widths of 96 and more
mini_init = dict(type='Kaiming', layer='Linear', mode='fan_in', nonlinearity='linear')
