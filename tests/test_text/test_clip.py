# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmseg.registry import MODELS
from transformers import CLIPTextConfig, CLIPTextModel

SIZES = dict(width=32, layers=2, heads=4, ffn_dim=64, vocab_size=50, max_positions=16, eos_id=49)


def build(**options):
    return MODELS.build(dict(type='CLIPSentenceEncoder', **{**SIZES, **options})).eval()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp('clip')
    config = CLIPTextConfig(
        vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=16, hidden_act='quick_gelu',
        bos_token_id=48, eos_token_id=49, pad_token_id=49,
    )  # fmt: skip
    torch.manual_seed(1)
    model = CLIPTextModel(config).eval()
    model.save_pretrained(path)
    return path, model


@torch.no_grad()
def test_a_local_folder_gives_its_weights_and_transformers_features(folder):
    path, theirs = folder
    encoder = build(pretrained=str(path))
    encoder.init_weights()
    ids = torch.tensor([[48, 7, 49, 49, 49], [48, 3, 4, 5, 49]])
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    words, text_mask, sentence = encoder(ids, mask)
    assert torch.equal(text_mask, mask.bool())
    want = theirs(input_ids=ids, attention_mask=mask)
    assert torch.allclose(words, want.last_hidden_state, atol=1e-6)
    assert torch.allclose(sentence, want.pooler_output, atol=1e-6)
    assert torch.allclose(sentence, torch.stack((words[0, 2], words[1, 4])))


def test_other_sizes_are_refused(folder):
    with pytest.raises(ValueError, match=r'num_hidden_layers of .* is 2, but the config has 3'):
        build(pretrained=str(folder[0]), layers=3).init_weights()


def test_a_missing_folder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    with pytest.raises(OSError, match='nowhere'):
        build(pretrained=str(tmp_path / 'nowhere')).init_weights()


@torch.no_grad()
def test_words_do_not_see_what_follows_them():
    encoder = build()
    ids = torch.tensor([[48, 7, 8, 49]])
    other = torch.tensor([[48, 7, 9, 49]])
    mask = torch.ones(1, 4, dtype=torch.bool)
    a, b = encoder(ids, mask)[0], encoder(other, mask)[0]
    assert torch.allclose(a[:, :2], b[:, :2], atol=1e-6)
    assert not torch.allclose(a[:, 2:], b[:, 2:])


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match='width must be a multiple of heads, got 30 and 4'):
        build(width=30)
    with pytest.raises(ValueError, match=r'eos_id must be in \[0, 50\), got 50'):
        build(eos_id=50)


def test_keys_do_not_depend_on_the_version_of_transformers():
    assert all(
        key.startswith(('model.embeddings.', 'model.encoder.', 'model.final_layer_norm.'))
        for key in build().state_dict()
    )


def test_token_embeddings_start_at_the_scale_asked_for():
    def scale(**options):
        return float(build(**options).model.embeddings.token_embedding.weight.std())

    assert scale() == pytest.approx(0.02, rel=0.1)
    assert scale(token_init_std=0.5) == pytest.approx(0.5, rel=0.1)
