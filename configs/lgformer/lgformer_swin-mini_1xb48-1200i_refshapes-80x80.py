_base_ = [
    '../_base_/models/lgformer_swin-mini.py',
    '../_base_/datasets/refshapes.py',
    '../_base_/schedules/schedule_1200i.py',
    '../_base_/runtime_1200i.py',
]
