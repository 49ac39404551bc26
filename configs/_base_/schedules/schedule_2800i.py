# A few minutes on a CPU: one cosine with warm-up, one evaluation at the end.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=4e-4, weight_decay=1e-2, fused=True),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, begin=0, end=150, by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=0, begin=150, end=2800, by_epoch=False),
]
train_cfg = dict(type='ResumableIterLoop', max_iters=2800, val_interval=2800)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=16)
