# As mixed.py, at the smaller size.
_base_ = ['./refcoco-256.py', './mixed-members.py']
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MixedRefDataset',
        datasets=[
            dict(**member, pipeline=_base_.train_pipeline) for member in _base_.mixed_members
        ],
    ),
)
