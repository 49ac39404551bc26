# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The converters on files as their authors save them."""

import argparse

import golden
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from safetensors.torch import load_file
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
)
from vmamba_classifier import VMambaClassifier

from mmseg_remamber.apis import init_model
from mmseg_remamber.checkpoints import read_checkpoint, weights_of


def same(a, b):
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


def train_file(path, state, ema=None):
    """What the authors' training program saves at its best epoch."""
    torch.save(
        dict(
            model=state, model_ema=ema, optimizer={'state': {}, 'param_groups': []}, epoch=41,
            scaler={'scale': 65536.0}, args=argparse.Namespace(model='ReMamber', lr=5e-5),
        ),
        path,
    )  # fmt: skip
    return path


def check_golden(name, head, size, ours):
    want = golden.arrays(name)
    model = init_model(Config(dict(model=golden.model_config(head, size))), ours)
    with torch.no_grad():
        logits = model.logits(want['img'], want['ids'], want['mask'])
    assert golden.relative(logits, want['logits']) < 1e-5


@pytest.mark.parametrize('suffix', ['pth', 'safetensors'])
@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_remamber_gives_the_published_output_and_goes_back(convert, tmp_path, head, suffix):
    src, ours, back = tmp_path / 'a.pth', tmp_path / f'b.{suffix}', tmp_path / f'c.{suffix}'
    official = golden.weights(f'remamber_{head}_small')
    torch.save({'model': official}, src)
    assert f'ReMamber with the {head} head' in convert('remamber.py', src, ours)
    check_golden(f'remamber_{head}_small_64x64', head, 'small', ours)
    convert('remamber.py', ours, back, '--to-official')
    assert same(weights_of(read_checkpoint(back)), official)


@pytest.mark.slow
@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_base_remamber_gives_the_published_output(convert, tmp_path, head):
    src, ours = tmp_path / 'a.pth', tmp_path / 'b.pth'
    torch.save({'model': golden.weights(f'remamber_{head}_base')}, src)
    convert('remamber.py', src, ours)
    check_golden(f'remamber_{head}_base_128x160', head, 'base', ours)


def test_averaged_weights_of_a_training_file(convert, tmp_path):
    name = 'remamber_conv_small'
    plain, ema = golden.weights(name), golden.weights(name, 'ema')
    src = train_file(tmp_path / 'a.pth', {f'module.{k}': v for k, v in plain.items()}, ema)
    for want, flags in ((plain, []), (ema, ['--ema'])):
        ours, back = tmp_path / f'ours{flags}.pth', tmp_path / f'back{flags}.pth'
        convert('remamber.py', src, ours, *flags)
        convert('remamber.py', ours, back, '--to-official', *flags)
        (entry,) = torch.load(back, weights_only=True).items()
        assert entry[0] == ('model_ema' if flags else 'model')
        assert same(entry[1], want)
    without = train_file(tmp_path / 'without.pth', plain)
    with pytest.raises(SystemExit, match="error: expected weights under 'model_ema'"):
        convert('remamber.py', without, tmp_path / 'd.pth', '--ema')


def test_the_text_model_is_spelled_as_asked(convert, tmp_path):
    torch.save({'model': golden.weights('remamber_conv_small')}, tmp_path / 'a.pth')
    convert('remamber.py', tmp_path / 'a.pth', tmp_path / 'b.pth')
    convert(
        'remamber.py', tmp_path / 'b.pth', tmp_path / 'c.pth', '--to-official', '--spelling', '5.0'
    )
    keys = torch.load(tmp_path / 'c.pth', weights_only=True)['model']
    assert 'text_encoder.embeddings.token_embedding.weight' in keys


VMAMBAS = {
    'vmamba_tiny_s1l8_96x64': "arch='tiny-s1l8'",
    'vmamba_vanilla_small_60x92': 'none of the published variants',
    'vmamba_v2down_small_64x96': 'none of the published variants',
}
SMALL = dict(dim=16, depths=(1, 1, 2, 1), ssm_ratio=2.0, gated=True, conv_bias=True)
SMALL_ARCHS = {
    'vmamba_tiny_s1l8_96x64': 'tiny-s1l8',
    'vmamba_vanilla_small_60x92': dict(
        SMALL, state_dim=16, mlp_ratio=0.0, patch_embed='v1', downsample='v1', drop_path_rate=0.0
    ),
    'vmamba_v2down_small_64x96': dict(
        SMALL, state_dim=2, mlp_ratio=4.0, patch_embed='v2', downsample='v2', drop_path_rate=0.0
    ),
}


@pytest.mark.parametrize('name', VMAMBAS)
@pytest.mark.parametrize('flags', [[], ['--ema']], ids=['plain', 'ema'])
def test_vmamba_gives_the_published_output_and_goes_back(convert, tmp_path, name, flags):
    src, ours, back = (tmp_path / f'{part}.pth' for part in 'abc')
    official = golden.weights(name.rpartition('_')[0])
    other = {key: torch.zeros_like(value) for key, value in official.items()}
    train_file(src, *((other, official) if flags else (official, other)))
    assert VMAMBAS[name] in convert('vmamba.py', src, ours, *flags)
    want = golden.arrays(name)
    model = VMambaClassifier(SMALL_ARCHS[name], num_classes=want['logits'].shape[1]).eval()
    model.load_state_dict(torch.load(ours, weights_only=True)['state_dict'], strict=True)
    with torch.no_grad():
        assert golden.relative(model(want['img']), want['logits']) < 1e-5
    assert VMAMBAS[name] in convert('vmamba.py', ours, back, '--to-official', *flags)
    assert same(weights_of(read_checkpoint(back), ema=bool(flags)), official)


@pytest.mark.parametrize('name', ['vmamba_upernet_small', 'vmamba_maskrcnn_small'])
def test_segmentors_and_detectors_with_vmamba_go_both_ways(convert, tmp_path, name):
    src, ours, back = (tmp_path / f'{part}.pth' for part in 'abc')
    official = golden.weights(name)
    torch.save(dict(meta=dict(epoch=12), state_dict=official), src)
    assert 'none of the published variants' in convert('vmamba.py', src, ours)
    state = torch.load(ours, weights_only=True)['state_dict']
    assert {key for key in state if '.layers.' in key or 'outnorm' in key} == set()
    convert('vmamba.py', ours, back, '--to-official')
    assert same(weights_of(read_checkpoint(back)), official)


CLIP_SIZES = dict(
    vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
    num_attention_heads=4, max_position_embeddings=16, hidden_act='quick_gelu',
    bos_token_id=48, eos_token_id=49, pad_token_id=49, projection_dim=8,
)  # fmt: skip


def clip_model(kind):
    torch.manual_seed(0)
    text = CLIPTextConfig(**CLIP_SIZES)
    if kind == 'text':
        return CLIPTextModel(text).eval()
    if kind == 'projected':
        return CLIPTextModelWithProjection(text).eval()
    vision = dict(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        image_size=8, patch_size=4,
    )  # fmt: skip
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision, projection_dim=8)
    return CLIPModel(config).eval()


def clip_words(model, ids, mask):
    text = getattr(model, 'text_model', model)
    return text(input_ids=ids, attention_mask=mask).last_hidden_state


@pytest.mark.parametrize('kind', ['text', 'projected', 'whole'])
@pytest.mark.parametrize('source', ['folder', 'file', 'pytorch_model.bin'])
@torch.no_grad()
def test_clip_gives_transformers_features_and_goes_back(convert, tmp_path, kind, source):
    theirs = clip_model(kind)
    folder = tmp_path / 'clip'
    theirs.save_pretrained(folder)
    src = folder / 'model.safetensors' if source == 'file' else folder
    if source == 'pytorch_model.bin':
        torch.save(load_file(folder / 'model.safetensors'), folder / source)
        (folder / 'model.safetensors').unlink()
    ours = tmp_path / 'ours.pth'
    assert 'CLIP text model of 2 layers, 32 wide' in convert('clip.py', src, ours)

    encoder = MODELS.build(
        dict(
            type='CLIPSentenceEncoder', width=32, layers=2, heads=4, ffn_dim=64, vocab_size=50,
            max_positions=16, eos_id=49, pretrained=str(ours),
        )
    ).eval()  # fmt: skip
    encoder.init_weights()
    ids, mask = torch.tensor([[48, 7, 49, 49]]), torch.tensor([[1, 1, 1, 0]])
    want = clip_words(theirs, ids, mask)
    assert torch.allclose(encoder(ids, mask)[0], want, atol=1e-6)

    for spelling in ('4.0', '4.31', '5.0'):  # transformers reads what we write
        again = tmp_path / spelling
        CLIPTextConfig(**CLIP_SIZES).save_pretrained(again)
        convert('clip.py', ours, again / 'model.safetensors', '--to-transformers', spelling)
        assert torch.equal(clip_words(CLIPTextModel.from_pretrained(again), ids, mask), want)
        convert('clip.py', again, again / 'ours.pth')
        assert same(
            torch.load(again / 'ours.pth', weights_only=True)['state_dict'],
            torch.load(ours, weights_only=True)['state_dict'],
        )


def test_the_text_model_of_a_segmentor_goes_to_transformers(convert, tmp_path):
    torch.save({'state_dict': golden.build('conv', 'small').state_dict()}, tmp_path / 'a.pth')
    convert('clip.py', tmp_path / 'a.pth', tmp_path / 'b.bin', '--to-transformers', '4.31')
    prefix = 'text_encoder.'
    official = golden.weights('remamber_conv_small')
    want = {k.removeprefix(prefix): v for k, v in official.items() if k.startswith(prefix)}
    assert same(torch.load(tmp_path / 'b.bin', weights_only=True), want)


def test_weights_of_other_sizes_are_refused_by_the_encoder(convert, tmp_path):
    clip_model('text').save_pretrained(tmp_path / 'clip')
    encoder = MODELS.build(
        dict(
            type='CLIPSentenceEncoder', width=32, layers=1, heads=4, ffn_dim=64, vocab_size=51,
            max_positions=16, eos_id=49, pretrained=str(tmp_path / 'clip' / 'model.safetensors'),
        )
    )  # fmt: skip
    with pytest.raises(ValueError, match=r'(?s)does not fit this text encoder:.*is \(50, 32\)'):
        encoder.init_weights()


def test_mistakes_are_named(convert, tmp_path):
    state = golden.weights('remamber_conv_small')
    src, dst = tmp_path / 'a.pth', tmp_path / 'b.pth'
    torch.save({'model': state | {'decoder.extra': torch.ones(1)}}, src)
    for tool, match in (
        ('remamber.py', r"1 keys of another model: \['decoder.extra'\]"),
        ('vmamba.py', r'keys of another model: \[.backbone'),
        ('clip.py', r'keys of another model: \[.backbone'),
    ):
        with pytest.raises(SystemExit, match=f'error: .*{match}'):
            convert(tool, src, dst)
        with pytest.raises(SystemExit, match=r"error: .*'nowhere\.pth' does not exist"):
            convert(tool, 'nowhere.pth', dst)
        with pytest.raises(SystemExit, match=r'error: .*a\.pth. exists'):
            convert(tool, src, src)
    assert not dst.exists()
    (tmp_path / 'empty').mkdir()
    with pytest.raises(SystemExit, match=r'error: .*has neither of'):
        convert('clip.py', tmp_path / 'empty', dst)
