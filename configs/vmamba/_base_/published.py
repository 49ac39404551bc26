# What detection and segmentation share: the ImageNet weights that a variant starts from, and which
# parameters decay.
_releases = 'https://github.com/MzeroMiko/VMamba/releases/download/'
imagenet = {
    'tiny-vanilla': dict(
        type='Pretrained',
        checkpoint=_releases + '%23v0cls/vssmtiny_dp01_ckpt_epoch_292.pth',
    ),
    'small-vanilla': dict(
        type='Pretrained',
        checkpoint=_releases + '%23v0cls/vssmsmall_dp03_ckpt_epoch_238.pth',
        ema=True,
    ),
    'base-vanilla': dict(
        type='Pretrained',
        checkpoint=_releases + '%2320240218/vssmbase_dp05_ckpt_epoch_260.pth',
    ),
    'tiny-s2l5': dict(
        type='Pretrained',
        checkpoint=_releases + '%23v2cls/vssm_tiny_0230_ckpt_epoch_262.pth',
    ),
    'small-s2l15': dict(
        type='Pretrained',
        checkpoint=_releases + '%23v2cls/vssm_small_0229_ckpt_epoch_222.pth',
    ),
    'base-s2l15': dict(
        type='Pretrained',
        checkpoint=_releases + '%23v2cls/vssm_base_0229_ckpt_epoch_237.pth',
    ),
    'tiny-s1l8': dict(
        type='Pretrained',
        checkpoint=_releases + '%23v2cls/vssm1_tiny_0230s_ckpt_epoch_264.pth',
    ),
}
# Names with "norm" do not decay. In the authors' spelling norms of embedding and downsampling have
# names without it,
decay = dict(
    norm=dict(decay_mult=0.0),
    patch_embed=dict(decay_mult=1.0),
    downsamples=dict(decay_mult=1.0),
)
# and in that of the first release, which trained the vanilla family, those of blocks.
decay_of_vanilla = dict(
    _delete_=True,
    norm=dict(decay_mult=0.0),
    stages=dict(decay_mult=1.0),
    out_norm=dict(decay_mult=0.0),
)
