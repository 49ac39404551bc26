# The smaller size, of the ablations too: that the paper's was 256 is our reading.
_base_ = './refcoco.py'
_resize = dict(type='Resize', scale=(256, 256), keep_ratio=False, backend='pillow')
_tokenise = dict(type='TokenizeText', max_tokens=20)
train_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    dict(type='LoadRefMask'),
    _resize,
    _tokenise,
    dict(type='PackRefSegInputs'),
]
test_pipeline = [
    dict(type='LoadRefImage'),
    dict(type='ChooseSentence'),
    _resize,
    dict(type='LoadRefMask'),
    _tokenise,
    dict(type='PackRefSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
