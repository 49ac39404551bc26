_base_ = [
    '../_base_/upernet.py',
    '../_base_/ade20k.py',
    '../_base_/schedule_160k.py',
    '../_base_/runtime.py',
]
model = dict(
    backbone=dict(
        arch='tiny-s1l8',
        init_cfg=_base_.imagenet['tiny-s1l8'],
    ),
)
