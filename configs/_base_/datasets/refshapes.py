# Synthetic scenes: tools/dataset_converters/refshapes.py data/refshapes --size 80 --max-objects 4
_base_ = './refcoco.py'
img_size = (80, 80)
_source = dict(
    data_root='data/refshapes', dataset='refshapes', split_by='synthetic', img_dir='images'
)
_tokenise = dict(type='TokenizeText', max_tokens=20)
_train_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    dict(type='LoadRefMask'),
    _tokenise,
    dict(type='PackRefSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
    dataset=dict(**_source, pipeline=_train_pipeline),
)
_eval = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(**_source, pipeline=_train_pipeline),
)
val_dataloader = _eval
test_dataloader = _eval
