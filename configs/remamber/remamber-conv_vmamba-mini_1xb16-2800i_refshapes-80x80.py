_base_ = [
    '../_base_/models/remamber-conv_vmamba-mini.py',
    '../_base_/datasets/refshapes.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_2800i.py',
]
log_processor = dict(by_epoch=False)
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=2800),
    logger=dict(log_metric_by_epoch=False),
)
