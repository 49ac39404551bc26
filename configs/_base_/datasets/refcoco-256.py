# The smaller size, of the ablations too: that the paper's was 256 is our reading.
_base_ = './refcoco.py'
img_size = (256, 256)
train_pipeline, test_pipeline = (
    [dict(step, scale=img_size) if step.type == 'Resize' else step for step in steps]
    for steps in (_base_.train_pipeline, _base_.test_pipeline)
)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
