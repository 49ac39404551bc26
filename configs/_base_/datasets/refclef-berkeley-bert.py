_base_ = './refcoco-bert.py'
_source = dict(dataset='refclef', split_by='berkeley', img_dir='images/saiapr_tc-12')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
