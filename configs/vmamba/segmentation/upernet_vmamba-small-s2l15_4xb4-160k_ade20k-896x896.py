# No result is published: the authors' file takes crops of 512 and 19 classes from its base.
_base_ = './upernet_vmamba-small-s2l15_8xb2-160k_ade20k-512x512.py'
crop_size = (896, 896)
scale = (3584, 896)
sizes = dict(
    RandomResize=dict(scale=scale), Resize=dict(scale=scale), RandomCrop=dict(crop_size=crop_size)
)
train_pipeline, test_pipeline = (
    [dict(step, **sizes.get(step.type, {})) for step in steps]
    for steps in (_base_.train_pipeline, _base_.test_pipeline)
)
model = dict(data_preprocessor=dict(size=crop_size))
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
