# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Every dataset's config names its files; the mixed one trains on all three sets."""

import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from refer_folder import Folder

from mmseg_remamber.datasets.inspection import PUBLISHED

COCO, SAIAPR = 'images/train2014', 'images/saiapr_tc-12'
SOURCES = {
    'refcoco-bert': ('RefCOCODataset', 'refcoco', 'unc', COCO),
    'refcoco+-bert': ('RefCOCODataset', 'refcoco+', 'unc', COCO),
    'refcocog-umd-bert': ('RefCOCODataset', 'refcocog', 'umd', COCO),
    'refcocog-google-bert': ('RefCOCODataset', 'refcocog', 'google', COCO),
    'refclef-berkeley-bert': ('RefCOCODataset', 'refclef', 'berkeley', SAIAPR),
    'refcoco': ('RefCOCODataset', 'refcoco', 'unc', COCO),
    'refcoco-256': ('RefCOCODataset', 'refcoco', 'unc', COCO),
    'refcoco-192': ('RefCOCODataset', 'refcoco', 'unc', COCO),
    'refcoco-google': ('RefCOCODataset', 'refcoco', 'google', COCO),
    'refcoco+': ('RefCOCODataset', 'refcoco+', 'unc', COCO),
    'refcoco+-256': ('RefCOCODataset', 'refcoco+', 'unc', COCO),
    'refcoco+-google': ('RefCOCODataset', 'refcoco+', 'google', COCO),
    'refcocog-umd': ('RefCOCODataset', 'refcocog', 'umd', COCO),
    'refcocog-umd-256': ('RefCOCODataset', 'refcocog', 'umd', COCO),
    'refcocog-google': ('RefCOCODataset', 'refcocog', 'google', COCO),
    'refclef-berkeley': ('RefCOCODataset', 'refclef', 'berkeley', SAIAPR),
    'refclef-unc': ('RefCOCODataset', 'refclef', 'unc', SAIAPR),
    'grefcoco': ('GRefCOCODataset', 'grefcoco', 'unc', COCO),
    'refshapes': ('RefCOCODataset', 'refshapes', 'synthetic', 'images'),
}
MIXED = {'mixed': 480, 'mixed-256': 256}


@pytest.fixture(scope='module')
def folder_of_configs(root):
    return root / 'configs' / '_base_' / 'datasets'


def test_each_config_is_tested(folder_of_configs):
    names = {p.stem for p in folder_of_configs.glob('*.py')}
    assert names == {*SOURCES, *MIXED}


@pytest.mark.parametrize('name', SOURCES)
def test_sources(folder_of_configs, name):
    config = Config.fromfile(folder_of_configs / f'{name}.py')
    for mode, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        dataset = config[f'{mode}_dataloader'].dataset
        assert (dataset.type, dataset.dataset, dataset.split_by, dataset.img_dir) == SOURCES[name]
        assert dataset.split == split
        assert dataset.get('test_mode', False) is (mode != 'train')


@pytest.mark.parametrize('name', [name for name in SOURCES if name != 'refshapes'])
def test_a_download_is_checked_by_the_rules_that_the_config_loads_it_by(folder_of_configs, name):
    config = Config.fromfile(folder_of_configs / f'{name}.py')
    for mode in ('train', 'val', 'test'):
        dataset = config[f'{mode}_dataloader'].dataset
        checked = PUBLISHED[dataset.dataset]
        assert checked.rules == DATASETS.get(dataset.type).RULES
        assert checked.img_dir == dataset.img_dir
        # options that would make the loader judge otherwise
        assert not {'strict', 'sentence_key'} & dataset.keys()


def size_of(name):
    if name == 'refshapes':
        return None  # scenes have their size already
    return int(name.rpartition('-')[2]) if name.endswith(('256', '192')) else 480


@pytest.mark.parametrize('name', [*SOURCES, *MIXED])
def test_pipelines_differ_by_the_size_alone(folder_of_configs, name):
    config, published = (Config.fromfile(folder_of_configs / f'{n}.py') for n in (name, 'refcoco'))
    size = size_of(name)
    for mode in ('train', 'val', 'test'):
        want = published[f'{mode}_dataloader'].dataset.pipeline
        for step in want:
            if step.type == 'Resize':
                step.scale = (size, size)
            if step.type == 'TokenizeText' and name.endswith('-bert'):
                step.update(tokenizer='bert-base-uncased', cut='end')
        want = [step for step in want if size or step.type != 'Resize']
        dataset = config[f'{mode}_dataloader'].dataset
        for member in dataset.get('datasets', [dataset]):
            assert member.pipeline == want
        assert config['train_pipeline' if mode == 'train' else 'test_pipeline'] == want


@pytest.mark.parametrize('config_name', MIXED)
def test_mixed(folder_of_configs, config_name, tmp_path):
    config = Config.fromfile(folder_of_configs / f'{config_name}.py')
    for name, split_by in (('refcoco', 'unc'), ('refcoco+', 'unc'), ('refcocog', 'umd')):
        folder = Folder(tmp_path, name=name).write()
        folder.refs_path.rename(folder.refs_path.with_name(f'refs({split_by}).p'))
    for member in config.train_dataloader.dataset.datasets:
        member.update(data_root=str(tmp_path), img_dir='images')
    mixed = DATASETS.build(config.train_dataloader.dataset)
    assert len(mixed) == 3 * 4
    size = MIXED[config_name]
    assert mixed[0]['inputs'].shape == mixed[11]['inputs'].shape == (3, size, size)
    assert config.val_dataloader.dataset.dataset == 'refcoco'
