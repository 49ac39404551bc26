# RefCOCO, RefCOCO+ and RefCOCOg in training, without the images that any of them is evaluated on;
# evaluated on RefCOCO, and on the others by --cfg-options test_dataloader.dataset.dataset=refcoco+
_base_ = './refcoco.py'
_member = dict(
    type='RefCOCODataset',
    data_root='data',
    split='train',
    img_dir='images/train2014',
    pipeline={{_base_.train_pipeline}},
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MixedRefDataset',
        datasets=[
            dict(**_member, dataset='refcoco', split_by='unc'),
            dict(**_member, dataset='refcoco+', split_by='unc'),
            dict(**_member, dataset='refcocog', split_by='umd'),
        ],
    ),
)
