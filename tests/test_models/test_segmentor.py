# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from unittest.mock import patch

import golden
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_remamber.fast import strips
from mmseg_remamber.text import Text

HEADS = ('conv', 'mamba')
TINY = dict(golden.SMALL_ARCH, depths=(1, 1, 1, 1))


def config(head='conv', **options):
    cfg = golden.model_config(head, 'small')
    cfg['backbone']['image']['arch'] = TINY
    return {**cfg, **options}


def build(head='conv', **options):
    torch.manual_seed(0)
    return MODELS.build(config(head, **options)).eval()


def tokens(batch, words=3):
    ids = torch.full((batch, 20), 199)
    ids[:, 0] = 198
    ids[:, 1 : 1 + words] = torch.arange(words) + 5
    return ids, (torch.arange(20) < words + 2).expand(batch, 20)


def sample(hw, ori=None, **meta):
    ids, mask = tokens(1)
    item = SegDataSample(metainfo=dict(ori_shape=ori or hw, img_shape=hw, **meta))
    item.gt_sem_seg = PixelData(data=torch.randint(0, 2, (1, *hw)))
    item.set_data(dict(token_ids=ids[0], token_mask=mask[0]))
    return item


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('hw', [(32, 32), (37, 70), (1, 1), (50, 33)])
@torch.no_grad()
def test_logits_have_the_size_of_any_input(head, hw):
    logits = build(head).logits(torch.randn(2, 3, *hw), *tokens(2))
    assert logits.shape == (2, 1, *hw)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('batch', [1, 2])
def test_inference_in_strips(head, batch, monkeypatch):
    """A CPU's inference takes large maps a few rows at a time, which training does not."""
    model, img = build(head), torch.randn(batch, 3, 90, 122)
    whole = model.logits(img, *tokens(batch)).detach()
    monkeypatch.setattr(strips, 'STRIP_VALUES', 512)
    with torch.no_grad():
        logits = model.logits(img, *tokens(batch))
    torch.testing.assert_close(logits, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('head', HEADS)
def test_loss_trains_every_parameter(head):
    model = build(head).train()
    losses = model(torch.randn(2, 3, 64, 64), [sample((64, 64)), sample((64, 64))], mode='loss')
    assert set(losses) == {'loss_dice', 'loss_ce'}
    sum(losses.values()).backward()
    still = [n for n, p in model.named_parameters() if p.grad is None]
    assert still == []


@torch.no_grad()
def test_modes_agree():
    model = build()
    img, samples = torch.randn(2, 3, 40, 48), [sample((40, 48)), sample((40, 48))]
    want = model.logits(img, *tokens(2))
    assert torch.equal(model(img, samples, mode='tensor'), want)
    feats = model.extract_feat(img, samples)
    assert [f.shape[1] for f in feats] == [16, 32, 64, 128]
    for item, logits in zip(model(img, samples, mode='predict'), want, strict=True):
        assert torch.allclose(item.seg_logits.data, logits, atol=1e-6)
        assert item.pred_sem_seg.data.dtype == torch.uint8
        assert torch.equal(item.pred_sem_seg.data, (logits.sigmoid() > 0.5).to(torch.uint8))


@torch.no_grad()
def test_prediction_is_at_the_size_of_the_image_and_without_padding():
    model = build()
    img = torch.randn(1, 3, 48, 64)
    logits = model.logits(img, *tokens(1))
    padded = sample((48, 64), ori=(80, 31), img_padding_size=(0, 4, 0, 8))
    (item,) = model.predict(img, [padded])
    want = torch.nn.functional.interpolate(
        logits[..., :40, :60], (80, 31), mode='bilinear', align_corners=False
    )
    assert torch.allclose(item.seg_logits.data, want[0], atol=1e-5)
    assert torch.equal(item.input_logits.data, logits[0, :, :40, :60])


@torch.no_grad()
def test_threshold():
    img = torch.randn(1, 3, 32, 32)
    low, high = (build(threshold=t).predict(img, [sample((32, 32))])[0] for t in (0.01, 0.99))
    assert low.pred_sem_seg.data.sum() > high.pred_sem_seg.data.sum()


@pytest.mark.parametrize('head', HEADS)
@torch.no_grad()
def test_the_sentence_matters(head):
    model, img = build(head), torch.randn(1, 3, 32, 32)
    ids, mask = tokens(1)
    other = ids.clone()
    other[0, 2] = 77
    assert not torch.allclose(model.logits(img, ids, mask), model.logits(img, other, mask))


@pytest.mark.parametrize('mask_padding', [False, True])
@torch.no_grad()
def test_padding_takes_part_only_as_published(mask_padding):
    fusion = dict(type='TwisterFusion', mask_padding=mask_padding)
    cfg = config()
    cfg['backbone']['fusion'] = fusion
    torch.manual_seed(0)
    model = MODELS.build(cfg).eval()
    img = torch.randn(1, 3, 32, 32)
    ids, mask = tokens(1)
    text = model.text_encoder(ids, mask)
    changed = text.words.clone()
    changed[:, 10:] += 1
    before = model.backbone(img, text)[0][-1]
    after = model.backbone(img, text._replace(words=changed))[0][-1]
    assert torch.allclose(before, after) is mask_padding


@pytest.mark.parametrize(('sentence_token', 'uses'), [('first', False), ('end', True)])
@torch.no_grad()
def test_mamba_head_reads_the_token_it_is_told(sentence_token, uses):
    cfg = config('mamba')
    cfg['decode_head']['sentence_token'] = sentence_token
    torch.manual_seed(0)
    head = MODELS.build(cfg['decode_head']).eval()
    feats = [torch.randn(1, 16 * 2**i, 16 // 2**i, 16 // 2**i) for i in range(4)]
    words, mask = torch.randn(1, 20, 768), torch.ones(1, 20, dtype=torch.bool)
    a, b = (head.predict(feats, Text(words, mask, torch.randn(1, 768))) for _ in range(2))
    assert torch.allclose(a, b) is not uses


@torch.no_grad()
def test_recomputing_blocks_leaves_gradients_alone():
    grads = []
    for with_cp in (False, True):
        cfg = config()
        cfg['backbone']['with_cp'] = with_cp
        torch.manual_seed(0)
        model = MODELS.build(cfg).eval()
        with torch.enable_grad():
            torch.manual_seed(1)
            model.logits(torch.randn(1, 3, 32, 32), *tokens(1)).sum().backward()
        grads.append(model.backbone.fusions[0].blocks[0].norm.weight.grad)
    assert torch.allclose(*grads, atol=1e-5)


@pytest.mark.parametrize('threshold', [0.0, 1.0])
def test_bad_threshold_is_named(threshold):
    with pytest.raises(ValueError, match=rf'threshold must be in \(0, 1\), got {threshold}'):
        build(threshold=threshold)


def test_bad_heads_are_named():
    mamba = dict(type='ReMamberMambaHead', text_dim=8, num_tokens=4)
    with pytest.raises(ValueError, match=r'must double from map to map, got \[8, 16, 24, 32\]'):
        MODELS.build(dict(mamba, in_channels=[8, 16, 24, 32]))
    with pytest.raises(ValueError, match='must have 4 entries'):
        MODELS.build(dict(mamba, in_channels=[8, 16]))
    with pytest.raises(ValueError, match=r"one of .'first', 'end'., got 'last'"):
        MODELS.build(dict(mamba, in_channels=[8, 16, 32, 64], sentence_token='last'))
    with pytest.raises(ValueError, match='in_channels must name 4 maps'):
        MODELS.build(dict(type='ReMamberConvHead', in_channels=[8, 16], channels=8))


def test_wrong_token_count_is_named():
    model = build()
    ids, mask = tokens(1)
    with pytest.raises(ValueError, match='words must have 20 tokens, got 15'):
        model.logits(torch.randn(1, 3, 32, 32), ids[:, :15], mask[:, :15])


def test_samples_without_tokens_are_named():
    with pytest.raises(ValueError, match=r"put TokenizeText before .*'cat.jpg'"):
        build().predict(
            torch.randn(1, 3, 32, 32), [SegDataSample(metainfo=dict(img_path='cat.jpg'))]
        )


def test_dice_is_of_the_object_not_the_background():
    loss = MODELS.build(dict(type='BinaryDiceLoss'))
    label = torch.zeros(1, 4, 4, dtype=torch.long)
    label[0, 0] = 1
    logits = torch.where(label > 0, 40.0, -40.0)[:, None]
    assert float(loss(logits, label)) == pytest.approx(0, abs=1e-6)
    empty = torch.full_like(logits, -40.0)
    assert float(loss(empty, label)) == pytest.approx(1 - 1 / 5, abs=1e-6)
    assert float(MODELS.build(dict(type='BinaryDiceLoss', loss_weight=2.0))(empty, label)) == (
        pytest.approx(1.6, abs=1e-6)
    )


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize(
    ('order', 'distinct'), [('aabbba', 3), ('ab', 2), ('aaaa', 1), ('a', 1), ('abab', 4)]
)
def test_sharing_images_changes_no_loss_and_no_gradient(head, order, distinct):
    image = {name: torch.randn(3, 36, 50, dtype=torch.double) for name in 'ab'}
    img = torch.stack([image[name] for name in order])
    samples = [sample((36, 50)) for _ in order]
    for item in samples:
        item.token_ids = item.token_ids.clone()
        item.token_ids[1] = torch.randint(5, 100, ())
    results = []
    for shared in (False, True):
        model = build(head, share_images=shared).double().train()
        trunk = model.backbone.image
        with patch.object(trunk, 'stem', wraps=trunk.stem) as stem:
            losses = model.loss(img, samples)
        sum(losses.values()).backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        results.append((losses, gradients))
        assert len(stem.call_args.args[0]) == (distinct if shared else len(order))
    (losses, gradients), (shared_losses, shared_gradients) = results
    assert gradients.keys() == shared_gradients.keys()
    for name, value in losses.items():
        torch.testing.assert_close(shared_losses[name], value, rtol=1e-9, atol=1e-9)
    for name, value in gradients.items():
        scale = value.abs().max().item()
        torch.testing.assert_close(
            shared_gradients[name], value, rtol=1e-7, atol=1e-9 * scale + 1e-12, msg=name
        )
