_base_ = [
    '../_base_/models/remamber-conv_vmamba-mini.py',
    '../_base_/datasets/refshapes.py',
    '../_base_/schedules/schedule_1400i.py',
    '../_base_/runtime_1400i.py',
]
