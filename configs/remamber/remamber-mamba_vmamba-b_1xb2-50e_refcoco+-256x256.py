# A CPU, or a small GPU; a step is still of 64 images.
_base_ = './remamber-mamba_vmamba-b_8xb8-50e_refcoco+-256x256.py'
train_dataloader = dict(batch_size=2, num_workers=1)
val_dataloader = dict(batch_size=2, num_workers=1)
test_dataloader = dict(batch_size=2, num_workers=1)
optim_wrapper = dict(type='OptimWrapper', accumulative_counts=32)
