# The same for a few dozens of photographs, whose training split is fitted and evaluated;
# tools/small_run.py fills in their folder and classes.
_base_ = './mask-rcnn_vmamba-mini_fpn_1xb8-4e_shapes-128x128.py'
_resize = dict(type='Resize', scale=(256, 256), keep_ratio=True)
train_pipeline = [_resize if s.type == 'Resize' else s for s in _base_.train_pipeline]
test_pipeline = [_resize if s.type == 'Resize' else s for s in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        ann_file='instances_train.json',
        data_prefix=dict(img='images/train/'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=_base_.shapes_root + 'instances_train.json')
test_evaluator = val_evaluator
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 150
train_cfg = dict(max_epochs=150, val_interval=25)
default_hooks = dict(checkpoint=dict(interval=25), logger=dict(interval=6))
