_base_ = [
    '../_base_/models/remamber-conv_vmamba-mini.py',
    '../_base_/datasets/refshapes.py',
    '../_base_/schedules/schedule_2800i.py',
    '../_base_/runtime_2800i.py',
]
