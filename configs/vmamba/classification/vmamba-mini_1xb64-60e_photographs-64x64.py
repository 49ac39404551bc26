# The same for cut-outs of a few dozens of photographs, whose training split is fitted and
# evaluated; tools/small_run.py fills in their folder and classes.
_base_ = './vmamba-mini_1xb64-6e_shapes-48x48.py'
_resize = dict(type='Resize', scale=(64, 64))
train_pipeline = [_resize if s.type == 'Resize' else s for s in _base_.train_pipeline]
test_pipeline = [_resize if s.type == 'Resize' else s for s in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_prefix='cutouts/train', pipeline=test_pipeline))
test_dataloader = val_dataloader
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 60
train_cfg = dict(max_epochs=60, val_interval=10)
default_hooks = dict(checkpoint=dict(interval=60), logger=dict(interval=5))
