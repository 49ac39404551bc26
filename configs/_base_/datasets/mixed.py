# RefCOCO, RefCOCO+ and RefCOCOg in training, without the images that any of them is evaluated on;
# evaluated on RefCOCO, and on the others by --cfg-options test_dataloader.dataset.dataset=refcoco+
_base_ = './refcoco.py'
_member = dict(_base_.dataset, split='train', pipeline=_base_.train_pipeline)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MixedRefDataset',
        datasets=[
            _member,
            dict(_member, dataset='refcoco+'),
            dict(_member, dataset='refcocog', split_by='umd'),
        ],
    ),
)
