_base_ = './refcocog-umd-bert.py'
_source = dict(split_by='google')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
