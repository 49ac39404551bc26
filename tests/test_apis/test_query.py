# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The one way from a picture and a sentence to a batch."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmseg_remamber.apis import RefSegInferencer, init_model
from mmseg_remamber.apis.export import client_metadata, expected_logits
from mmseg_remamber.apis.query import Query


@pytest.fixture(scope='module')
def model(tiny_checkpoint):
    return init_model(checkpoint=tiny_checkpoint)


@pytest.fixture(scope='module')
def picture():
    return np.random.default_rng(0).integers(256, size=(60, 90, 3), dtype=np.uint8)


def with_pipeline(steps, **options):
    """A stand-in that has a config alone."""
    loader = dict(dataset=dict(pipeline=steps))
    return type('Model', (), dict(cfg=Config(dict(test_dataloader=loader, **options))))()


TOKENISE = dict(type='TokenizeText', max_tokens=5)
RESIZE = dict(type='Resize', scale=(48, 32), keep_ratio=False, backend='pillow')


@pytest.mark.parametrize(
    'steps, options, img_size, want',
    [
        ([RESIZE, TOKENISE], dict(img_size=(80, 80)), None, (48, 32)),
        ([RESIZE, TOKENISE], dict(img_size=(80, 80)), (20, 30), (20, 30)),
        ([TOKENISE], dict(img_size=(80, 64)), None, (80, 64)),
        ([TOKENISE], {}, None, None),
        ([TOKENISE], {}, (20, 30), (20, 30)),
    ],
)
def test_size(picture, steps, options, img_size, want):
    query = Query(with_pipeline(steps, **options), img_size)
    assert query.size is None if want is None else tuple(query.size) == want
    prepared = query.picture(picture)
    width, height = want or (90, 60)
    assert prepared.inputs.shape == (3, height, width)
    rgb = Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
    if want:
        rgb = rgb.resize(want, Image.Resampling.BILINEAR)
    assert (prepared.rgb == np.asarray(rgb)).all()


def test_tokens_and_words(model):
    query = Query(model)
    tokens = query.tokens('the red cat')
    assert query.num_tokens == len(tokens.token_ids) == len(tokens.token_mask) == 20
    assert query.words(tokens) == ['<start>', 'the', 'red', 'cat', '<end>']
    assert (tokens.num_tokens, tokens.truncated) == (5, False)
    assert torch.equal(model.text_encoder.mask_of(tokens.token_ids[None])[0], tokens.token_mask)
    long = query.tokens('cat ' * 30)
    assert (long.num_tokens, long.truncated, len(query.words(long))) == (32, True, 20)
    with pytest.raises(ValueError, match="text must have a word, got ' '"):
        query.tokens(' ')


def test_a_batch_is_normalised_and_knows_its_sizes(model, picture):
    query = Query(model, (64, 48))
    prepared, tokens = query.picture(picture), query.tokens('a cat')
    data = query.batch([prepared, prepared], [tokens, query.tokens('it')])
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    want = (torch.from_numpy(prepared.rgb).float() - mean) / std
    torch.testing.assert_close(data['inputs'][1], want.permute(2, 0, 1))
    first, second = data['data_samples']
    assert first.ori_shape == (60, 90) and first.img_shape == (48, 64)
    assert torch.equal(first.token_ids, tokens.token_ids)
    assert not torch.equal(second.token_ids, tokens.token_ids)


def test_export_and_inferencer_see_the_same(model, tiny_checkpoint, picture):
    """Size and logits of what a client is told are those of the inferencer."""
    inferencer = RefSegInferencer(weights=str(tiny_checkpoint), show_progress=False)
    width, height = inferencer.pipeline.size
    want = dict(size=[height, width], threshold=0.5, trained_on=None)
    assert client_metadata(model) == want
    logits = torch.from_numpy(expected_logits(model, Query(model).picture(picture), ['a cat']))
    assert logits.shape == (1, 1, height, width)
    own = torch.nn.functional.interpolate(logits, (60, 90), mode='bilinear')
    found = inferencer(picture, 'a cat')['predictions'][0][0]
    assert (found.mask == (own[0, 0].sigmoid() > 0.5).numpy()).mean() > 0.999


def test_bad_pipelines_are_named():
    with pytest.raises(ValueError, match='no test_dataloader'):
        Query(type('Model', (), dict(cfg=Config()))())
    with pytest.raises(ValueError, match=r"no TokenizeText, only \['Resize'\]"):
        Query(with_pipeline([RESIZE]))
