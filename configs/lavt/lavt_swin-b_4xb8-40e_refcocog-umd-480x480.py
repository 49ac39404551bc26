_base_ = [
    '../_base_/models/lavt_swin-b.py',
    '../_base_/datasets/refcocog-umd-bert.py',
    '../_base_/schedules/schedule_poly_40e.py',
    '../_base_/default_runtime.py',
]
