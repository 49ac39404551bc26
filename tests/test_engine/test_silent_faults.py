# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What would go wrong without a word is an error."""

import pytest
import tiny_training
from transformers import BertTokenizer

from mmseg_remamber.apis.query import Query
from mmseg_remamber.models.build import build_model


@pytest.mark.parametrize('batch_size', [3, 50])
def test_an_epoch_shorter_than_a_batch_is_named(scenes, tmp_path, batch_size):
    cfg = tiny_training.by_epochs(tiny_training.tiny_config(scenes, tmp_path), 1)
    cfg.train_dataloader.batch_size = batch_size
    samples = 'the .* samples'
    if batch_size == 50:
        match = f'no batch: train_dataloader.batch_size is 50, with drop_last, .* {samples}'
        with pytest.raises(ValueError, match=match):
            tiny_training.train(cfg)
    else:
        _, recorder = tiny_training.train(cfg)
        assert recorder.losses


@pytest.fixture(scope='module')
def wordpiece(tmp_path_factory):
    """A folder with a BERT tokenizer, none of whose ids means to CLIP what it means."""
    folder = tmp_path_factory.mktemp('bert')
    pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'red', 'circle', 'left']
    (folder / 'vocab.txt').write_text('\n'.join(pieces))
    BertTokenizer.from_pretrained(str(folder)).save_pretrained(folder)
    return str(folder)


def with_tokenizer(cfg, folder):
    for mode in ('train', 'val', 'test'):
        for step in cfg[f'{mode}_dataloader'].dataset.pipeline:
            if step.type == 'TokenizeText':
                step.tokenizer = folder
    return cfg


@pytest.mark.parametrize('mode', ['train', 'val'])
def test_a_tokenizer_of_another_encoder_is_refused(scenes, tmp_path, wordpiece, mode):
    cfg = with_tokenizer(tiny_training.tiny_config(scenes, tmp_path), wordpiece)
    if mode == 'val':
        cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    runner = tiny_training.RUNNERS.build(cfg)
    match = r"not of this text encoder: .* end token 49407 .* got \[2, .*sentence '"
    with pytest.raises(ValueError, match=match):
        runner.train() if mode == 'train' else runner.val()


def test_a_query_refuses_it_too(scenes, tmp_path, wordpiece):
    cfg = with_tokenizer(tiny_training.tiny_config(scenes, tmp_path), wordpiece)
    with pytest.raises(ValueError, match='the tokenizer is not of this text encoder'):
        Query(build_model(cfg)).tokens('the red circle')


@pytest.mark.parametrize('vocab_size', [100, 49407])
def test_ids_beyond_the_vocabulary_are_refused(scenes, tmp_path, vocab_size):
    cfg = tiny_training.tiny_config(scenes, tmp_path)
    cfg.model.text_encoder.update(vocab_size=vocab_size, eos_id=vocab_size - 1)
    with pytest.raises(ValueError, match=rf'ids in \[0, {vocab_size}\)'):
        Query(build_model(cfg)).tokens('the red circle')
