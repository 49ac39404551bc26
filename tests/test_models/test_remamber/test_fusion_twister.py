# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The Twister's scans and texts against the same put together by hand."""

from contextlib import nullcontext
from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

from mmseg_remamber import fast
from mmseg_remamber.models.remamber.twister import Scans, Twister
from mmseg_remamber.text import Text

DIM = 6


def channel_scanned(module, x):
    """x + its channel scan, x a (B, H, W, M) map: a sequence of M steps with 16 features each."""
    batch, height, width, channels = x.shape
    small = F.interpolate(x.permute(0, 3, 1, 2), (4, 4), mode='bilinear', align_corners=False)
    scanned = module.channel_scan(small.reshape(batch, 1, channels, 16))
    back = scanned.reshape(batch, channels, 4, 4)
    back = F.interpolate(back, (height, width), mode='bilinear', align_corners=False)
    return x + back.permute(0, 2, 3, 1)


BY_HAND = {
    'channel-spatial': lambda m, cube: m.spatial_scan(channel_scanned(m, cube)),
    'spatial-channel': lambda m, cube: channel_scanned(m, m.spatial_scan(cube)),
    'parallel': lambda m, cube: m.spatial_scan(cube) + m.out_proj(channel_scanned(m, cube)),
    'channel': lambda m, cube: m.out_proj(channel_scanned(m, cube)),
    'spatial': lambda m, cube: m.spatial_scan(cube),
}


def test_every_choice_is_compared():
    assert set(BY_HAND) == set(get_args(Scans))


@pytest.mark.parametrize('scans', BY_HAND)
@pytest.mark.parametrize('num_maps', [2, 3])
@pytest.mark.parametrize('mode', [nullcontext, fast.disabled])
@torch.no_grad()
def test_scans(scans, num_maps, mode):
    torch.manual_seed(0)
    module = Twister(DIM, num_maps=num_maps, scans=scans, scan_size=4)
    x, local = torch.randn(2, 2, 5, 7, DIM)
    texts = (torch.randn(2, 1, 1, DIM), local)[-(num_maps - 1) :]
    cube = torch.cat([x, *(text.expand(2, 5, 7, DIM) for text in texts)], dim=-1)
    assert cube.shape[-1] == num_maps * DIM
    with mode():
        got = module(x, *texts)
    assert torch.allclose(got, BY_HAND[scans](module, cube), atol=1e-6)


@pytest.mark.parametrize('scans', BY_HAND)
def test_a_scan_that_does_not_run_has_no_parameters(scans):
    module = Twister(DIM, scans=scans, scan_size=4)
    module(*torch.randn(3, 1, 3, 4, DIM)).sum().backward()
    assert [n for n, p in module.named_parameters() if p.grad is None] == []
    children = {name for name, _ in module.named_children()}
    assert ('channel_scan' in children) is ('channel' in scans or scans == 'parallel')
    assert ('spatial_scan' in children) is ('spatial' in scans or scans == 'parallel')
    assert ('out_proj' in children) is (scans in ('channel', 'parallel'))


@pytest.mark.parametrize('texts', [('global',), ('local',), ('local', 'global')])
@torch.no_grad()
def test_texts(texts):
    torch.manual_seed(0)
    stage = MODELS.build(
        dict(
            type='TwisterFusion', dim=DIM, text_dim=8, num_tokens=4, scan_size=4, hidden_dim=16,
            texts=texts,
        )
    )  # fmt: skip
    x, words, sentence = torch.randn(2, 5, 7, DIM), torch.randn(2, 4, 8), torch.randn(2, 8)
    mask = torch.ones(2, 4, dtype=torch.bool)
    maps = []  # always the sentence first, as published
    if 'global' in texts:
        maps.append(stage.global_text(sentence).expand_as(x))
    if 'local' in texts:
        maps.append(stage.local_text(x, Text(words, mask, sentence)))
    want = x
    for block in stage.blocks:
        normed = [block.norm(t) for t in (want, *maps)]
        want = want + block.twister(*normed)
        maps = [text + n for text, n in zip(maps, normed[1:], strict=True)]
    got, *changed = (
        stage(x, text)[0]
        for text in (
            Text(words, mask, sentence),
            Text(words + 1, mask, sentence),
            Text(words, mask, sentence + 1),
        )
    )
    assert torch.allclose(got, want, atol=1e-6)
    uses_words, uses_sentence = (not torch.allclose(got, c, atol=1e-5) for c in changed)
    assert (uses_sentence, uses_words) == ('global' in texts, 'local' in texts)
