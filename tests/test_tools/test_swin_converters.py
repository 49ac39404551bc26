# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The converters of LAVT and LGFormer on files as their authors save them."""

import argparse

import golden
import golden_swin
import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file

from mmseg_remamber.apis import init_model

IMG, IDS, MASK = 'img', 'ids', 'mask'


def train_file(path, state, *, beside=False):
    """What the authors' training program saves at its best epoch; `lavt` has BERT beside it."""
    text = {k.removeprefix('text_encoder.'): v for k, v in state.items() if 'text_encoder.' in k}
    rest = {k: v for k, v in state.items() if 'text_encoder.' not in k}
    parts = dict(model=rest, bert_model=text) if beside else dict(model=state)
    others = dict(optimizer={'state': {}}, lr_scheduler={'last_epoch': 3}, epoch=3)
    torch.save(parts | others | dict(args=argparse.Namespace(model='lavt', lr=5e-5)), path)
    return path


def same(a, b):
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ('family', 'beside'), [('lavt', False), ('lavt', True), ('lgformer', False)]
)
@pytest.mark.parametrize('suffix', ['pth', 'safetensors'])
def test_they_give_the_published_output_and_go_back(convert, tmp_path, family, beside, suffix):
    official = golden.weights(f'{family}_small')
    src = train_file(tmp_path / 'theirs.pth', official, beside=beside)
    ours, back = tmp_path / f'ours.{suffix}', tmp_path / f'back.{suffix}'
    convert(f'{family}.py', src, ours)
    config = Config(dict(model=golden_swin.model_config(family, 'small')))
    model = init_model(config, ours)
    want = golden.arrays(f'{family}_small_61x93')
    logits = want['logits'] if family == 'lavt' else want['logits6']
    if family == 'lavt':
        logits = logits[:, 1:] - logits[:, :1]
    with torch.no_grad():
        assert golden.relative(model.logits(want[IMG], want[IDS], want[MASK]), logits) < 2e-5
    layout = ['--layout', 'lavt'] if beside else []
    convert(f'{family}.py', ours, back, '--to-official', *layout)
    if suffix == 'safetensors':
        old, new = ('text_encoder.', 'bert_model.') if beside else ('', '')
        assert same(load_file(back), {k.replace(old, new): v for k, v in official.items()})
    else:
        found, given = torch.load(back), torch.load(src, weights_only=False)
        parts = ['model', 'bert_model'] if beside else ['model']
        assert list(found) == parts
        assert all(same(found[part], given[part]) for part in parts)


@pytest.mark.parametrize('family', ['lavt', 'lgformer'])
def test_what_nothing_explains_is_an_error(convert, tmp_path, family):
    official = golden.weights(f'{family}_small')
    src = train_file(tmp_path / 'theirs.pth', official | {'classifier.extra': torch.ones(1)})
    with pytest.raises(SystemExit, match=r"1 keys of another model: \['classifier.extra'\]"):
        convert(f'{family}.py', src, tmp_path / 'ours.pth')
    assert not (tmp_path / 'ours.pth').exists()


@pytest.mark.parametrize('family', ['lavt', 'lgformer'])
def test_published_weights_are_recognised_where_ours_are_wanted(tmp_path, family):
    src = train_file(tmp_path / 'theirs.pth', golden.weights(f'{family}_small'))
    config = Config(dict(model=golden_swin.model_config(family, 'small')))
    with pytest.raises(ValueError, match=f'converted by tools/model_converters/{family}.py'):
        init_model(config, src)
