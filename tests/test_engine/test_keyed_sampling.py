# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Keyed access hides nothing of the dataset; keyed choices are tested in test_resume.py."""

import copy
import pickle

import pytest
from mmengine.dataset import Compose, ConcatDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import RUNNERS
from refer_folder import Folder
from torch import nn, tensor

from mmseg_remamber.datasets import MixedRefDataset, RefCOCODataset
from mmseg_remamber.engine import KeyedDataset
from mmseg_remamber.engine.keyed_sampling import KeyedIndex


class Mark:
    """A step that leaves its name and the ref's."""

    def __init__(self, name):
        self.name = name

    def __call__(self, results):
        return dict(inputs=tensor(results['ref_id']), data_samples=self.name)


def marked(name):
    return Compose([Mark(name)])


@pytest.fixture
def member(tmp_path):
    return Folder(tmp_path).write().read(pipeline=[Mark('first')])


def names_of(dataset):
    return [dataset[KeyedIndex(i, (0, 0, 0, i))]['data_samples'] for i in range(len(dataset))]


def test_what_the_dataset_shows_is_shown(member):
    keyed = KeyedDataset(member)
    assert keyed.metainfo == member.metainfo and keyed.pipeline is member.pipeline
    assert keyed.get_data_info(2) == member.get_data_info(2)
    assert keyed.held_out_images == member.held_out_images
    assert not hasattr(keyed, 'no_such_thing') and not hasattr(keyed, '__getitems__')


def test_what_is_set_is_set_on_the_dataset(member):
    keyed = KeyedDataset(member)
    keyed.pipeline = marked('second')
    assert keyed.pipeline is member.pipeline
    assert names_of(keyed) == ['second'] * 4
    with pytest.raises(AttributeError, match="RefCOCODataset has no 'pipelines', so that setting"):
        keyed.pipelines = []


def test_copies_are_whole(member):
    keyed = KeyedDataset(member)
    for twin in (copy.deepcopy(keyed), pickle.loads(pickle.dumps(keyed))):
        twin.pipeline = marked('second')
        assert names_of(twin) == ['second'] * 4
    assert names_of(keyed) == ['first'] * 4


def test_a_pipeline_reaches_every_member_of_a_mixed_set(tmp_path):
    members = [
        Folder(tmp_path, name=name).write().read(pipeline=[Mark(name)]) for name in ('one', 'two')
    ]
    keyed = KeyedDataset(MixedRefDataset(members))
    assert names_of(keyed) == ['one'] * 4 + ['two'] * 4
    with pytest.raises(AttributeError, match='the members have pipelines of their own'):
        _ = keyed.pipeline
    keyed.pipeline = pipeline = marked('both')
    assert names_of(keyed) == ['both'] * 8
    assert keyed.pipeline is pipeline


def test_sets_joined_by_others_refuse_a_pipeline_that_they_would_not_use(member):
    keyed = KeyedDataset(ConcatDataset([member]))
    with pytest.raises(AttributeError, match=r"ConcatDataset has no 'pipeline', .* no effect"):
        keyed.pipeline = marked('second')
    assert names_of(keyed) == ['first'] * 4


class PipelineSwitch(Hook):
    """As mmdet's PipelineSwitchHook: another pipeline from an epoch on, in workers too."""

    def __init__(self, epoch, pipeline):
        self.epoch = epoch
        self.pipeline = pipeline

    def before_train_epoch(self, runner):
        loader = runner.train_dataloader
        if runner.epoch == self.epoch:
            loader.dataset.pipeline = self.pipeline
            if loader.persistent_workers:
                loader._DataLoader__initialized = False
                loader._iterator = None


class Listener(BaseModel):
    """A model that keeps what it is fed."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(tensor(1.0))
        self.fed = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.fed.append(sorted(set(data_samples)))
        return dict(loss=self.weight.square())


@pytest.mark.parametrize('workers', [0, 1])
def test_a_hook_switches_the_pipeline_of_training(tmp_path, workers):
    folder = Folder(tmp_path).write()
    dataset = dict(
        type=RefCOCODataset, data_root=str(folder.path), dataset=folder.name, split_by='me',
        split='train', img_dir='images', pipeline=[Mark('first')],
    )  # fmt: skip
    model = Listener()
    runner = RUNNERS.get('RefSegRunner')(
        model,
        work_dir=str(tmp_path / 'work'),
        train_dataloader=dict(
            dataset=dataset, batch_size=4, sampler=dict(type='DefaultSampler', shuffle=True),
            num_workers=workers, persistent_workers=workers > 0,
        ),
        train_cfg=dict(type='ResumableEpochLoop', max_epochs=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=[PipelineSwitch(1, marked('second'))],
        default_scope='mmseg',
        experiment_name=f'switch_{workers}',
    )  # fmt: skip
    runner.train()
    assert model.fed == [['first'], ['second'], ['second']]
