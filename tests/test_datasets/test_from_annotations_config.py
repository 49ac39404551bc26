# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The config that is written beside a dataset."""

import shutil

import annotation_tools as tools
import pytest
from mmseg.registry import DATASETS

from mmseg_remamber.configuration import Typed, load_config, named_configs
from mmseg_remamber.datasets.annotations import Annotations, FineTuning, convert_annotations
from mmseg_remamber.datasets.annotations.finetuning import choose_iterations

MINI = 'remamber-conv_vmamba-mini_1xb48-1200i_refcoco-192x192'
BASE = 'remamber-mamba_vmamba-b_8xb8-50e_mixed-256x256'


@pytest.fixture
def convert(tmp_path):
    """Converts into a folder with a difficult name -> path of the config."""
    photos = tools.make_photos()
    tools.write_pictures(tmp_path / 'pictures', photos)
    path = tools.write_coco(tmp_path / 'coco.json', photos)
    out = tmp_path / "my 'own', [1]={2} fotos+ö"

    def call(base=MINI, checkpoint=None, batch_size=4, iterations=None, **options):
        training = FineTuning(base, checkpoint, batch_size, iterations)
        annotations = Annotations('coco', path)
        convert_annotations(out, tmp_path / 'pictures', annotations, None, training, **options)
        return out / 'finetune.py'

    return call


def test_it_trains_on_the_dataset_in_its_folder_wherever_that_is(convert, tmp_path):
    moved = tmp_path / 'elsewhere'
    shutil.move(convert().parent, moved)
    cfg = load_config(moved / 'finetune.py')
    assert cfg.work_dir == str(moved / 'work')
    for mode, count in (('train', 3), ('val', 1), ('test', 1)):
        dataset = DATASETS.build(cfg[f'{mode}_dataloader'].dataset)
        assert len(dataset) == count
        sample = dataset[0]
        assert tuple(sample['inputs'].shape) == (3, 192, 192)
        assert sample['data_samples'].text == 'red cat'


def test_checkpoints_will_say_what_they_were_trained_on(convert):
    cfg = load_config(convert(about='kitchens, from above'))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    origin = dataset.metainfo['origin']
    assert origin['name'] == "my 'own', [1]={2} fotos+ö"
    assert origin['pictures'] == 'kitchens, from above'
    assert origin['sentences'] == 'names of categories'


def test_overrides_reach_it_and_variables_are_refused(convert):
    path = convert()
    cfg = load_config(path, {'train_cfg.max_iters': Typed('7'), 'work_dir': Typed('a b')})
    assert (cfg.train_cfg.max_iters, cfg.work_dir) == (7, 'a b')
    with pytest.raises(KeyError, match='nothing is built from'):
        load_config(path, {'img_size': Typed('(64, 64)')})


def test_schedule_and_batch_are_those_of_a_small_dataset(convert):
    cfg = load_config(convert(iterations=300))
    assert cfg.train_cfg.to_dict() == dict(type='ResumableIterLoop', max_iters=300, val_interval=60)
    assert [(s.begin, s.end) for s in cfg.param_scheduler] == [(0, 30), (30, 300)]
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 4
    assert cfg.default_hooks.checkpoint.interval == 60
    assert not cfg.default_hooks.checkpoint.by_epoch
    assert cfg.default_hooks.checkpoint.save_best == 'oIoU'  # the base's
    assert (
        cfg.optim_wrapper.optimizer.lr
        == load_config(named_configs()[MINI]).optim_wrapper.optimizer.lr
    )


@pytest.mark.parametrize(
    ('objects', 'batch', 'asked', 'iterations'),
    [(3, 8, None, 200), (100, 8, None, 500), (10**6, 8, None, 5000), (100, 8, 7, 7)],
)
def test_iterations_grow_with_the_dataset(objects, batch, asked, iterations):
    assert choose_iterations(FineTuning(MINI, None, batch, asked), objects) == iterations


def test_from_a_checkpoint_it_fetches_no_other_weights(convert, tmp_path):
    """At a quarter of the rate; averaged weights, which take thousands of updates, are left out."""
    checkpoint = tmp_path / 'weights of mine.pth'
    checkpoint.write_bytes(b'')
    cfg = load_config(convert(BASE, str(checkpoint)))
    base = load_config(named_configs()[BASE])
    assert cfg.load_from == str(checkpoint)
    assert base.model.text_encoder.pretrained and base.model.backbone.image.init_cfg
    assert cfg.model.text_encoder.pretrained is None
    assert cfg.model.backbone.image.init_cfg is None
    for place in (cfg.model.text_encoder, base.model.text_encoder):
        del place['pretrained']
    for place in (cfg.model.backbone.image, base.model.backbone.image):
        del place['init_cfg']
    assert cfg.model == base.model
    assert cfg.optim_wrapper.optimizer.lr == base.optim_wrapper.optimizer.lr / 4
    assert cfg.optim_wrapper.paramwise_cfg == base.optim_wrapper.paramwise_cfg
    assert base.custom_hooks[0].type == 'RefSegEMAHook'
    assert cfg.custom_hooks == []
    assert cfg.train_dataloader.dataset.type == 'RefCOCODataset'  # in the place of the mixture
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) == 3


def test_an_address_of_weights_stays_one(convert):
    url = 'https://example.org/weights.pth'
    assert load_config(convert(checkpoint=url)).load_from == url


@pytest.mark.parametrize('name', [MINI, *(n for n in named_configs() if 'mixed' in n)])
def test_configs_of_one_dataset_and_of_mixtures_can_be_inherited(convert, name):
    cfg = load_config(convert(name))
    assert cfg.model == load_config(named_configs()[name]).model
    assert DATASETS.build(cfg.train_dataloader.dataset)[0]['inputs'].shape[0] == 3


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        (dict(base='no-such'), FileNotFoundError, "no model is named 'no-such'"),
        (dict(base='no/such.py'), FileNotFoundError, "config 'no/such.py' does not exist"),
        (dict(checkpoint='gone.pth'), FileNotFoundError, "no checkpoint 'gone.pth'"),
        (dict(batch_size=0), ValueError, 'batch_size must be at least 1, got 0'),
        (dict(iterations=1), ValueError, 'iterations must be at least 2, got 1'),
    ],
)
def test_wrong_options_are_told_before_anything_is_written(convert, options, error, message):
    with pytest.raises(error, match=message):
        convert(**options)


def test_a_base_without_a_resize_is_refused(convert, tmp_path):
    base = tmp_path / 'base.py'
    base.write_text(
        f'_base_ = {str(named_configs()[MINI])!r}\n'
        "train_pipeline = [s for s in _base_.train_pipeline if s['type'] != 'Resize']\n"
        'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n'
    )
    with pytest.raises(ValueError, match='its train_pipeline has no Resize, so that it takes pic'):
        convert(str(base))


def test_a_base_of_something_else_is_refused(convert, tmp_path):
    base = tmp_path / 'base.py'
    base.write_text("model = dict(type='ReferringSegmentor')\n")
    with pytest.raises(ValueError, match='has no train_dataloader or no train_pipeline'):
        convert(str(base))
