_base_ = './upernet_vmamba-small-vanilla_8xb2-160k_ade20k-512x512.py'
crop_size = (640, 640)
scale = (2560, 640)
sizes = dict(
    RandomResize=dict(scale=scale), Resize=dict(scale=scale), RandomCrop=dict(crop_size=crop_size)
)
train_pipeline, test_pipeline = (
    [dict(step, **sizes.get(step.type, {})) for step in steps]
    for steps in (_base_.train_pipeline, _base_.test_pipeline)
)
model = dict(data_preprocessor=dict(size=crop_size))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
