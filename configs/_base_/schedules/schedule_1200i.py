# From random weights in a few minutes of a CPU: one cosine with warm-up, one evaluation at the end.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-2, fused=True),
    clip_grad=dict(max_norm=1.0),
    constructor='FewGroupsConstructor',
    # sight is learnt more slowly than reading, and bears larger steps
    paramwise_cfg=dict(
        custom_keys={'backbone.image': dict(lr_mult=4.0), 'decode_head': dict(lr_mult=3.0)}
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, begin=0, end=60, by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=0, begin=60, end=1200, by_epoch=False),
]
train_cfg = dict(type='ResumableIterLoop', max_iters=1200, val_interval=1200)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=48)
