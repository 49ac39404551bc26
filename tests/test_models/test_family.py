# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A family is new files: one that is thrown away goes all the ways that a real one does."""

from pathlib import Path

import numpy as np
import pytest
import throwaway_family
import torch
from mmengine.runner import Runner

from mmseg_remamber.analysis.maps import interaction_maps
from mmseg_remamber.analysis.samples import own_sample
from mmseg_remamber.apis import RefSegInferencer, init_model
from mmseg_remamber.apis.export import export_program
from mmseg_remamber.apis.query import Query
from mmseg_remamber.checkpoints import (
    WeightFamily,
    recognise,
    register_family,
    weight_family,
    weights_of,
)
from mmseg_remamber.cli.convert import conversion_parser, convert_file
from mmseg_remamber.configuration import load_config
from mmseg_remamber.engine import RefSegRunner

CONFIG = Path(throwaway_family.__file__).with_name('config.py')


@pytest.fixture(scope='module')
def trained(tmp_path_factory, scenes) -> Path:
    """A checkpoint after one step."""
    options = {
        f'{mode}_dataloader.dataset.data_root': str(scenes) for mode in ('train', 'val', 'test')
    }
    cfg = load_config(CONFIG, options)
    cfg.work_dir = str(tmp_path_factory.mktemp('work'))
    for mode in ('train', 'val', 'test'):
        cfg[f'{mode}_dataloader'].update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.train_cfg = dict(type='ResumableIterLoop', max_iters=1, val_interval=1)
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=1)
    runner = RefSegRunner.from_cfg(cfg)
    assert isinstance(runner, Runner)
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    scalars = runner.message_hub.log_scalars
    names = {'loss_dice', 'loss_ce', 'aux0_loss_dice', 'aux0_loss_ce'}
    assert names <= {name.removeprefix('train/') for name in scalars}
    assert 'val/mIoU' in scalars
    after = runner.model.state_dict()
    for part in ('fusions.0.proj.weight', 'image.stages.1.0.op.in_proj.weight'):
        assert not torch.equal(before[f'backbone.{part}'], after[f'backbone.{part}'])
    return Path(cfg.work_dir, 'iter_1.pth')


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(256, size=(60, 70, 3), dtype=np.uint8)


def test_it_predicts(trained, picture):
    found = RefSegInferencer(weights=str(trained), show_progress=False)(picture, ['a cat', 'it'])
    assert [mask.mask.shape for mask in found['predictions'][0]] == [(60, 70)] * 2


def test_sentences_of_one_picture_share_it(trained, picture):
    model = init_model(checkpoint=trained)
    query = Query(model)
    prepared, tokens = query.picture(picture), [query.tokens(text) for text in ('a cat', 'it')]
    ids, mask = (torch.stack([getattr(t, n) for t in tokens]) for n in ('token_ids', 'token_mask'))
    img = query.batch([prepared])['inputs']
    with torch.no_grad():
        shared = model.logits_of_text(img, model.text_encoder(ids, mask), torch.tensor([0, 0]))
        torch.testing.assert_close(shared, model.logits(img.repeat(2, 1, 1, 1), ids, mask))


def test_its_weights_are_converted_and_recognised(trained, tmp_path):
    family = weight_family('throwaway')
    official, back = str(tmp_path / 'official.pth'), str(tmp_path / 'back.safetensors')
    parse = conversion_parser('').parse_args
    convert_file(parse([str(trained), official, '--to-official']), family)
    state = weights_of(torch.load(official))
    assert all(key.startswith('throwaway.') for key in state) and recognise(state) is family
    with pytest.raises(ValueError, match='it is a throwaway and must be converted'):
        init_model(CONFIG, official)
    convert_file(parse([official, back]), family)
    want = init_model(checkpoint=trained).state_dict()
    for key, value in init_model(CONFIG, back).state_dict().items():
        assert torch.equal(value, want[key]), key


def test_it_is_exported(trained):
    model = init_model(checkpoint=trained)
    program = export_program(model).module()
    image = torch.randint(256, (3, 45, 67, 3), dtype=torch.uint8)
    ids = model.text_encoder.longest_sentence(20).repeat(3, 1)
    ids[1, 4:] = model.text_encoder.eos_id
    ids[2, 1] = 5
    norm = model.data_preprocessor
    img = (image.permute(0, 3, 1, 2).float() - norm.mean) / norm.std
    with torch.no_grad():
        want = model.logits(img, ids, model.text_encoder.mask_of(ids))
        torch.testing.assert_close(program(image, ids), want, rtol=1e-4, atol=1e-4)


def test_what_it_does_not_have_is_said(trained, picture):
    model = init_model(checkpoint=trained)
    batch, _ = own_sample(model, picture, 'a cat')
    with pytest.raises(ValueError, match='no module of its backbone has word_maps'):
        interaction_maps(model, batch)


def test_names_of_families():
    with pytest.raises(ValueError, match=r"family must be one of \[.*'vmamba'\], got 'resnet'"):
        weight_family('resnet')
    known = weight_family('throwaway')
    assert register_family(known) is known
    with pytest.raises(ValueError, match="a family of weights is named 'throwaway' already"):
        register_family(WeightFamily('throwaway', bool, dict, dict, ''))
    assert recognise(['conv1.weight']) is None
