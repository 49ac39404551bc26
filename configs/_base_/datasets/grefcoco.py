_base_ = './refcoco.py'
_source = dict(type='GRefCOCODataset', dataset='grefcoco')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
