# For a first run on real photographs without a GPU: the mini model on any data in the REFER layout.
_base_ = [
    '../_base_/models/remamber-conv_vmamba-mini.py',
    '../_base_/datasets/refcoco-192.py',
    '../_base_/schedules/schedule_2800i.py',
    '../_base_/runtime_2800i.py',
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
)
val_dataloader = dict(num_workers=1)
test_dataloader = val_dataloader
