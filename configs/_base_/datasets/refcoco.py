dataset_type = 'RefCOCODataset'
data_root = 'data'
img_size = (480, 480)
max_tokens = 20
train_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    dict(type='LoadRefMask'),
    dict(type='Resize', scale=img_size, keep_ratio=False, backend='pillow'),
    dict(type='TokenizeText', max_tokens=max_tokens),
    dict(type='PackRefSegInputs'),
]
# the truth is loaded after the resize, so that it stays at the image's own size
test_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    dict(type='Resize', scale=img_size, keep_ratio=False, backend='pillow'),
    dict(type='LoadRefMask'),
    dict(type='TokenizeText', max_tokens=max_tokens),
    dict(type='PackRefSegInputs'),
]
dataset = dict(
    type=dataset_type,
    data_root=data_root,
    dataset='refcoco',
    split_by='unc',
    img_dir='images/train2014',
)
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**dataset, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, split='val', test_mode=True, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='RefSegMetric')
test_evaluator = val_evaluator
