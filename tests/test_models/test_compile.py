# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Whole segmentors under `torch.compile`; exported ones are in test_apis."""

import golden
import pytest
import torch
from mmseg.registry import MODELS
from torch import nn


class Network(nn.Module):
    """A segmentor on tensors alone, every token of the sentence counted."""

    def __init__(self, head: str):
        super().__init__()
        torch.manual_seed(0)
        config = golden.model_config(head, 'small')
        config['backbone']['fusion']['depth'] = 1
        config['backbone']['arch'] = dict(golden.SMALL_ARCH, depths=(1, 1, 1, 1))
        self.segmentor = MODELS.build(config)

    def forward(self, img, token_ids):
        return self.segmentor.logits(img, token_ids, torch.ones_like(token_ids))


def inputs(batch, height, width):
    img = torch.randn(batch, 3, height, width)
    token_ids = torch.randint(1, 198, (batch, 20))
    token_ids[:, 7:] = 199
    return img, token_ids


@pytest.mark.slow
@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_compiled_in_one_graph(head):
    network = Network(head).eval()
    torch._dynamo.reset()
    compiled = torch.compile(network, fullgraph=True, backend='aot_eager')
    tensors = inputs(1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(compiled(*tensors), network(*tensors), rtol=1e-4, atol=1e-4)
