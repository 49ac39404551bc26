# For a schedule that counts iterations.
_base_ = './default_runtime.py'
log_processor = dict(by_epoch=False)
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=1200),
    logger=dict(log_metric_by_epoch=False),
)
