# For small models on a CPU.
_base_ = './refcoco.py'
img_size = (192, 192)
train_pipeline, test_pipeline = (
    [dict(step, scale=img_size) if step.type == 'Resize' else step for step in steps]
    for steps in (_base_.train_pipeline, _base_.test_pipeline)
)
train_dataloader = dict(
    batch_size=48,
    num_workers=1,
    sampler=dict(_delete_=True, type='PictureSampler', refs_per_picture=3),
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
