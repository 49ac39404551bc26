_base_ = './remamber-mamba_vmamba-b_8xb8-50e_refcoco-256x256.py'
_source = dict(dataset='refcoco+')
train_dataloader = dict(dataset=_source)
val_dataloader = dict(dataset=_source)
test_dataloader = dict(dataset=_source)
