# The training sets of mixed.py and mixed-256.py, but for the pipeline.
_member = dict(type='RefCOCODataset', data_root='data', split='train', img_dir='images/train2014')
mixed_members = [
    dict(**_member, dataset='refcoco', split_by='unc'),
    dict(**_member, dataset='refcoco+', split_by='unc'),
    dict(**_member, dataset='refcocog', split_by='umd'),
]
