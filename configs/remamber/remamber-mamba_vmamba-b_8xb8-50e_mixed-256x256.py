# As the mixed set at 480 px.
_base_ = './remamber-mamba_vmamba-b_8xb8-50e_refcoco-256x256.py'
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
