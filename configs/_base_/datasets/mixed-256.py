# As mixed.py, at the smaller size.
_base_ = './mixed.py'
img_size = (256, 256)
train_pipeline, test_pipeline = (
    [dict(step, scale=img_size) if step.type == 'Resize' else step for step in steps]
    for steps in (_base_.train_pipeline, _base_.test_pipeline)
)
_members = _base_.train_dataloader.dataset.datasets
train_dataloader = dict(
    dataset=dict(datasets=[dict(member, pipeline=train_pipeline) for member in _members])
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
