_base_ = './refcoco-bert.py'
_source = dict(dataset='refcoco+')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
