# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The contract of heads and of stagewise fusion."""

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from throwaway_family.fusion import AddSentence
from torch import nn

from mmseg_remamber.models import Fused, MaskHead, StageFusion, StagewiseFusion
from mmseg_remamber.text import Text

LOSSES = [
    dict(type='BinaryDiceLoss', loss_name='loss_dice'),
    dict(type='CrossEntropyLoss', use_sigmoid=True, loss_name='loss_bce'),
]
TEXT = Text(torch.randn(2, 4, 6), torch.ones(2, 4, dtype=torch.bool), torch.randn(2, 6))


class Given(MaskHead):
    """Returns the maps that it is given as features."""

    def forward(self, feats, text):
        return list(feats)


def test_losses_of_every_map_are_weighted_and_named():
    torch.manual_seed(0)
    maps = [torch.randn(2, 1, 3, 5), torch.randn(2, 1, 6, 10), torch.randn(2, 1, 7, 9)]
    label = torch.randint(2, (2, 12, 20))
    head = Given(losses=LOSSES, auxiliary_weights=[0.25, 0.5])
    got = head.loss(maps, TEXT, label)
    want = {}
    for prefix, weight, logits in zip(('aux0_', 'aux1_', ''), (0.25, 0.5, 1.0), maps, strict=True):
        logits = F.interpolate(logits, (12, 20), mode='bilinear', align_corners=True)
        probability, truth = logits.sigmoid().flatten(1), label.flatten(1).float()
        overlap = (2 * (probability * truth).sum(1) + 1) / (probability.sum(1) + truth.sum(1) + 1)
        want[f'{prefix}loss_dice'] = weight * (1 - overlap).mean()
        entropy = F.binary_cross_entropy_with_logits(logits[:, 0], label.float())
        want[f'{prefix}loss_bce'] = weight * entropy
    assert got.keys() == want.keys()
    for name, value in want.items():
        torch.testing.assert_close(got[name], value)


def test_losses_are_computed_in_float32():
    head = Given(losses=LOSSES)
    logits = torch.randn(2, 1, 8, 8).bfloat16()
    losses = head.loss([logits], TEXT, torch.randint(2, (2, 8, 8)))
    assert {value.dtype for value in losses.values()} == {torch.float32}


@torch.no_grad()
def test_two_channels_predict_their_difference():
    both = torch.randn(2, 2, 3, 5)
    logits = Given().predict([torch.randn(2, 1, 3, 5), both], TEXT)
    assert logits.shape == (2, 1, 3, 5)
    torch.testing.assert_close(logits.sigmoid()[:, 0], both.softmax(1)[:, 1])
    one = torch.randn(2, 1, 3, 5)
    assert torch.equal(Given().predict([both, one], TEXT), one)


def test_bad_losses_are_named():
    with pytest.raises(ValueError, match=r"different names, got \['loss_dice', 'loss_dice'\]"):
        Given(losses=[LOSSES[0], LOSSES[0]])
    maps = [torch.randn(1, 1, 4, 4)] * 3
    with pytest.raises(ValueError, match=r'must have 2 entries, .* got \[0.5\]'):
        Given(losses=LOSSES, auxiliary_weights=[0.5]).loss(maps, TEXT, torch.zeros(1, 4, 4))


@MODELS.register_module()
class PlainTrunk(nn.Module):
    """Two stages of convolutions, of odd factors."""

    def __init__(self, with_cp=False):
        super().__init__()
        self.dims, self.with_cp = (4, 6), with_cp
        self.convs = nn.ModuleList([nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 6, 3, stride=3)])
        self.calls = []

    def stem(self, img):
        self.calls.append(('stem', len(img)))
        return img.permute(0, 2, 3, 1)

    def run_stage(self, x, index):
        self.calls.append((index, len(x)))
        return self.convs[index](x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def build(**options):
    torch.manual_seed(0)
    return StagewiseFusion(
        image=dict(type='PlainTrunk'),
        fusion=dict(type='AddSentence'),
        text_dim=6,
        num_tokens=4,
        **options,
    )


@torch.no_grad()
def test_any_trunk_that_runs_by_stages_is_fused():
    model, img = build(), torch.randn(2, 3, 17, 23)
    (first, second), text = model(img, TEXT)
    assert text is TEXT
    x = model.image.convs[0](img)
    sentence = [fuse.proj(TEXT.sentence)[..., None, None] for fuse in model.fusions]
    torch.testing.assert_close(first, x + sentence[0])
    # what goes on is what the fusion lets go on
    torch.testing.assert_close(second, model.image.convs[1](x) + sentence[1])
    assert all(isinstance(fuse, AddSentence) for fuse in model.fusions)


class CountStages(StageFusion):
    """Leaves as many words as stages have been, and for the head half as many."""

    def forward(self, x, text):
        words = text.words + 2
        return Fused(x, text._replace(words=words), x, text._replace(words=words / 2))


def test_sentences_go_from_stage_to_stage_and_from_the_last_to_the_head():
    model = build()
    model.fusions = nn.ModuleList([CountStages(), CountStages()])
    _, text = model(torch.randn(2, 3, 17, 23), TEXT)
    torch.testing.assert_close(text.words, (TEXT.words + 4) / 2)


@torch.no_grad()
def test_a_shared_picture_is_computed_once_until_text_enters():
    model, img = build(), torch.randn(1, 3, 17, 23)
    want = model(img.repeat(2, 1, 1, 1), TEXT)
    model.image.calls.clear()
    got = model(img, TEXT, torch.tensor([0, 0]))
    assert model.image.calls == [('stem', 1), (0, 1), (1, 2)]
    torch.testing.assert_close(got, want)


def test_recomputing_reaches_trunk_and_fusions_and_leaves_gradients_alone():
    grads = []
    for with_cp in (False, True):
        model = build(with_cp=with_cp)
        assert model.image.with_cp is with_cp
        calls = []
        # recomputing stops by an exception once it has all that it needs
        model.fusions[1].register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
        text = Text(*(part.clone() for part in TEXT))
        text.sentence.requires_grad_()
        torch.manual_seed(1)
        sum(m.square().sum() for m in model(torch.randn(2, 3, 17, 23), text)[0]).backward()
        grads.append([text.sentence.grad, *(p.grad for p in model.parameters())])
        assert len(calls) == 1 + with_cp
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)
