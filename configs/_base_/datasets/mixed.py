# RefCOCO, RefCOCO+ and RefCOCOg in training, without the images that any of them is evaluated on;
# evaluated on RefCOCO, and on the others by --cfg-options test_dataloader.dataset.dataset=refcoco+
_base_ = ['./refcoco.py', './mixed-members.py']
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MixedRefDataset',
        datasets=[
            dict(**member, pipeline=_base_.train_pipeline) for member in _base_.mixed_members
        ],
    ),
)
