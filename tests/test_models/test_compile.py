# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Whole segmentors under `torch.compile`; exported ones are in test_apis."""

import copy

import golden
import pytest
import torch
from mmseg.registry import MODELS
from torch._dynamo.testing import CompileCounterWithBackend
from torch._dynamo.utils import counters

HEADS = ('conv', 'mamba')


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    counters.clear()


def build(head):
    torch.manual_seed(0)
    config = golden.model_config(head, 'small')
    config['backbone']['fusion']['depth'] = 1
    config['backbone']['image']['arch'] = dict(golden.SMALL_ARCH, depths=(1, 1, 1, 1))
    return MODELS.build(config).eval()


def inputs(batch, height, width):
    """Image, token ids and a mask that counts every token."""
    img = torch.randn(batch, 3, height, width)
    token_ids = torch.randint(1, 198, (batch, 20))
    token_ids[:, 7:] = 199
    return img, token_ids, torch.ones_like(token_ids)


@pytest.mark.slow
@pytest.mark.usefixtures('untraced')
@pytest.mark.parametrize('head', HEADS)
def test_inference_is_one_graph(head):
    model = build(head)
    tensors = inputs(2, 64, 64)
    graphs = CompileCounterWithBackend('aot_eager')
    with torch.no_grad():
        want = model.logits(*tensors)
        model.compile(fullgraph=True, backend=graphs)
        for _ in range(2):
            torch.testing.assert_close(model.logits(*tensors), want, rtol=1e-4, atol=1e-4)
    assert graphs.frame_count == 1


@pytest.mark.slow
@pytest.mark.usefixtures('untraced')
@pytest.mark.parametrize('head', HEADS)
def test_training_is_one_graph(head):
    # in float64: this small, batch norms over eight values blow float32's rounding up to 1e-3
    model = build(head).train().double()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.0  # the second of two passes starts as the first did
    img, token_ids, token_mask = inputs(2, 64, 64)
    graphs = CompileCounterWithBackend('aot_eager')
    gradients = []
    for is_compiled in (False, True):
        if is_compiled:
            model.compile(fullgraph=True, backend=graphs)
        model.zero_grad()
        model.logits(img.double(), token_ids, token_mask).square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert graphs.frame_count == 1
    assert golden.relative(gradients[1], gradients[0]) < 1e-9


@pytest.mark.slow
@pytest.mark.usefixtures('untraced')
def test_sizes_end_in_one_graph_for_any():
    model = build('conv')
    graphs = CompileCounterWithBackend('eager')
    want = copy.deepcopy(model)
    model.compile(fullgraph=True, backend=graphs)
    counts = []
    with torch.no_grad():
        for size in [(2, 64, 64), (3, 96, 80), (5, 80, 48), (4, 37, 70)]:
            tensors = inputs(*size)
            got = model.logits(*tensors)
            torch.testing.assert_close(got, want.logits(*tensors), rtol=1e-4, atol=1e-4)
            counts.append(graphs.frame_count)
    assert counts == [1, 2, 2, 2]


@pytest.mark.slow
@pytest.mark.usefixtures('untraced')
def test_features_of_text_computed_before_are_one_graph_each_way():
    """Sentences that share an image, and sentences with an image each."""
    model = build('conv')
    graphs = CompileCounterWithBackend('eager')
    img, token_ids, token_mask = inputs(3, 64, 64)
    index = torch.tensor([0, 1, 1])
    with torch.no_grad():
        text = model.text_encoder(token_ids, token_mask)
        calls = [(img, text), (img[:2], text, index)]
        want = [model.logits_of_text(*call) for call in calls]
        model.compile(fullgraph=True, backend=graphs)
        for number, (call, logits) in enumerate(zip(calls, want, strict=True), 1):
            got = model.logits_of_text(*call)
            torch.testing.assert_close(got, logits, rtol=1e-4, atol=1e-4)
            assert graphs.frame_count == number


def test_state_dict_and_copies_are_as_without():
    model = build('conv')
    keys = list(model.state_dict())
    graphs = CompileCounterWithBackend('eager')
    model.compile(backend=graphs)
    assert list(model.state_dict()) == keys
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
        assert not other.logits(*inputs(1, 64, 64)).any(), 'computed by the weights of the original'
    assert graphs.frame_count == 0


def test_unknown_options_are_refused():
    model = build('conv')
    with pytest.raises(RuntimeError, match='Unrecognized mode=fast, should be one of'):
        model.compile(mode='fast')
    with pytest.raises(TypeError, match='bakcend'):
        model.compile(bakcend='eager')


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('head', HEADS)
def test_cuda_graphs_of_fixed_sizes(head):
    model = build(head).cuda()
    tensors = [tensor.cuda() for tensor in inputs(2, 64, 64)]
    with torch.no_grad():
        want = model.logits(*tensors)
        model.compile(mode='reduce-overhead', dynamic=False, fullgraph=True)
        for _ in range(4):  # warm-up, recording, replays
            got = model.logits(*tensors).clone()
    assert golden.relative(got, want) < 1e-3
    assert counters['inductor']['cudagraph_skips'] == 0
