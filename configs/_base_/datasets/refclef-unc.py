_base_ = './refclef-berkeley.py'
_source = dict(split_by='unc')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
