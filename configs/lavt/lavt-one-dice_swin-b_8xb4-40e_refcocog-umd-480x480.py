_base_ = [
    '../_base_/models/lavt-one-dice_swin-b.py',
    '../_base_/datasets/refcocog-umd-bert.py',
    '../_base_/schedules/schedule_poly_40e.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(batch_size=4)
