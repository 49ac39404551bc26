# What the ablations of this folder are compared with: the Twister as published, at a smaller size.
_base_ = '../remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480.py'
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
