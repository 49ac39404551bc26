_base_ = './refcoco-bert.py'
_source = dict(dataset='refcocog', split_by='umd')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
