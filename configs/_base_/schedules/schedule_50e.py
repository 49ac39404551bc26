# Published: AdamW, half the rate for what comes pretrained (image stages and text encoder), weight
# decay on every parameter, cosine per epoch to 1e-6, AMP, EMA 0.9999, both sets of weights
# evaluated; 8 GPUs x 8 images. Options: docs/training.md.
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-5, weight_decay=1e-4),
    paramwise_cfg=dict(
        custom_keys={
            'text_encoder': dict(lr_mult=0.5),
            'backbone.image': dict(lr_mult=0.5),
        }
    ),
)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=50, eta_min=1e-6, begin=0, end=50, by_epoch=True)
]
train_cfg = dict(type='ResumableEpochLoop', max_epochs=50, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=64)
custom_hooks = [
    dict(type='RefSegEMAHook', momentum=1e-4, update_buffers=True, evaluate_trained=True)
]
