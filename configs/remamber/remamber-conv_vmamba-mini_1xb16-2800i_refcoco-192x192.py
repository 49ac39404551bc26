# For a first run on real photographs without a GPU: the mini model on any data in the REFER layout.
_base_ = [
    '../_base_/models/remamber-conv_vmamba-mini.py',
    '../_base_/datasets/refcoco.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_2800i.py',
]
_resize = dict(type='Resize', scale=(192, 192), keep_ratio=False, backend='pillow')
train_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    dict(type='LoadRefMask'),
    _resize,
    dict(type='TokenizeText', max_tokens=20),
    dict(type='PackRefSegInputs'),
]
test_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    _resize,
    dict(type='LoadRefMask'),
    dict(type='TokenizeText', max_tokens=20),
    dict(type='PackRefSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
log_processor = dict(by_epoch=False)
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=2800),
    logger=dict(log_metric_by_epoch=False),
)
