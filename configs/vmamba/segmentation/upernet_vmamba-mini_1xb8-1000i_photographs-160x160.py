# The same for a few dozens of photographs, whose training split is fitted and evaluated;
# tools/small_run.py fills in their folder and classes.
_base_ = './upernet_vmamba-mini_1xb16-1000i_shapes-128x128.py'
_size = (160, 160)
_resize = dict(type='Resize', scale=_size, keep_ratio=False)
train_pipeline = [_resize if s.type == 'Resize' else s for s in _base_.train_pipeline]
test_pipeline = [_resize if s.type == 'Resize' else s for s in _base_.test_pipeline]
model = dict(data_preprocessor=dict(size=_size))
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img_path='images/train', seg_map_path='semantic/train'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
auto_scale_lr = dict(base_batch_size=8)
