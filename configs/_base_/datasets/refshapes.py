# Synthetic scenes: tools/dataset_converters/refshapes.py data/refshapes --size 80 --max-objects 4
_base_ = './refcoco.py'
img_size = (80, 80)
# scenes have this size already
train_pipeline = [step for step in _base_.train_pipeline if step.type != 'Resize']
test_pipeline = train_pipeline
_source = dict(
    data_root='data/refshapes', dataset='refshapes', split_by='synthetic', img_dir='images'
)
train_dataloader = dict(
    batch_size=48,
    # small pictures take less time to read than to hand over, and a worker takes the model's cores
    num_workers=0,
    persistent_workers=False,
    sampler=dict(_delete_=True, type='PictureSampler', refs_per_picture=3),
    dataset=dict(**_source, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(**_source, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
