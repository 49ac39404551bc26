# Images are in both train and val, with other objects; there is no test split.
_base_ = './refcocog-umd.py'
_source = dict(split_by='google')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
