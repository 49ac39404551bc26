_base_ = [
    '../_base_/models/remamber-conv_vmamba-b.py',
    '../_base_/datasets/refcoco+-256.py',
    '../_base_/schedules/schedule_50e.py',
    '../_base_/default_runtime.py',
]
