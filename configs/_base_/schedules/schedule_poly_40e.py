# Published for LAVT and LGFormer: AdamW, no weight decay of the backbone's norms and position
# biases, a polynomial per iteration to 0, neither warm-up nor clipping nor EMA; 32 images in all.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-5, weight_decay=0.01),
    constructor='FewGroupsConstructor',
    paramwise_cfg=dict(
        custom_keys={
            'norm': dict(decay_mult=0.0),
            'relative_position_bias_table': dict(decay_mult=0.0),
            # longer keys go first: norms outside the backbone decay
            'decode_head': dict(decay_mult=1.0),
            'text_encoder': dict(decay_mult=1.0),
        }
    ),
)
param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.0,
        begin=0,
        end=40,
        by_epoch=True,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(type='ResumableEpochLoop', max_epochs=40, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=32)
