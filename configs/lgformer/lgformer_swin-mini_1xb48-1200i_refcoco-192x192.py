# For a first run on real photographs without a GPU: the mini model on any data in the REFER layout.
_base_ = [
    '../_base_/models/lgformer_swin-mini.py',
    '../_base_/datasets/refcoco-192.py',
    '../_base_/schedules/schedule_1200i.py',
    '../_base_/runtime_1200i.py',
]
