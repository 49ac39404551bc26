# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Whole segmentors outside eager torch: ONNX models run by onnxruntime, and compiled ones."""

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
def test_onnx_model_of_any_size(head):
    pytest.importorskip('onnxscript', reason='exporting to ONNX needs onnxscript')
    onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
    from selective_scan.onnx import translation_table

    network = Network(head).eval()
    dim = torch.export.Dim
    batch = dim('batch', min=1, max=64)
    sides = {2: 32 * dim('rows', min=2, max=64), 3: 32 * dim('columns', min=2, max=64)}
    program = torch.onnx.export(
        network,
        inputs(2, 64, 96),
        dynamo=True,
        dynamic_shapes=({0: batch, **sides}, {0: batch}),
        custom_translation_table=translation_table(),
        verbose=False,
    )
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    names = [value.name for value in session.get_inputs()]
    for size in ((2, 64, 96), (3, 128, 64)):
        tensors = inputs(*size)
        with torch.no_grad():
            want = network(*tensors)
        (got,) = session.run(None, dict(zip(names, (t.numpy() for t in tensors), strict=True)))
        torch.testing.assert_close(torch.from_numpy(got), want, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_compiled_in_one_graph(head):
    network = Network(head).eval()
    torch._dynamo.reset()
    compiled = torch.compile(network, fullgraph=True, backend='aot_eager')
    tensors = inputs(1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(compiled(*tensors), network(*tensors), rtol=1e-4, atol=1e-4)
