# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""ONNX models of the ops, run by onnxruntime."""

import pytest
import torch
from inputs import make_inputs, make_map_inputs
from selective_scan import selective_scan, ss2d_scan

pytest.importorskip('onnxscript', reason='exporting to ONNX needs onnxscript')
onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX models needs onnxruntime')


class Scan(torch.nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, u, delta, A, B, C, D=None, delta_bias=None):
        return selective_scan(u, delta, A, B, C, D, delta_bias=delta_bias, **self.options)


class MapScan(torch.nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x, projections, dt_weight, A, D=None, delta_bias=None):
        return ss2d_scan(x, projections, dt_weight, A, D, delta_bias=delta_bias, **self.options)


def export(model, inputs, dynamic_shapes):
    from selective_scan.onnx import translation_table

    return torch.onnx.export(
        model.eval(),
        kwargs=inputs,
        dynamo=True,
        dynamic_shapes=dynamic_shapes,
        custom_translation_table=translation_table(),
    )


def assert_same(program, model, inputs):
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    feed = {
        value.name: tensor.numpy()
        for value, tensor in zip(session.get_inputs(), inputs.values(), strict=True)
    }
    expected = model(**inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for got, want in zip(session.run(None, feed), expected, strict=True):
        torch.testing.assert_close(torch.from_numpy(got), want, rtol=1e-4, atol=1e-5)


def loops(program):
    return [node.op_type for node in program.model.graph].count('Scan')


@pytest.mark.parametrize(
    'optional, dtype',  # with softplus where there is a bias: onnxruntime has none in float64
    [((), torch.float32), ((), torch.float64), (('D', 'delta_bias'), torch.float32)],
)
def test_sequence(optional, dtype):
    model = Scan(delta_softplus=bool(optional), return_last_state=True)
    sizes = {'dtype': dtype, 'optional': optional}
    inputs = make_inputs(2, 3, 2, 2, 9, **sizes)
    inputs['delta'] = inputs['delta'].abs()
    length = torch.export.Dim('length', min=2, max=4096)
    shapes = {k: {v.dim() - 1: length} if v.dim() > 2 else None for k, v in inputs.items()}
    program = export(model, inputs, shapes)
    assert loops(program) == 1
    assert len(program.model.graph) < 40  # never unrolled
    assert_same(program, model, inputs)
    longer = make_inputs(2, 3, 2, 2, 30, **sizes)
    assert_same(program, model, longer | {'delta': longer['delta'].abs()})


@pytest.mark.parametrize('optional', [(), ('D', 'delta_bias')], ids='-'.join)
def test_map(optional):
    model = MapScan(delta_softplus=True)
    sizes = {'dtype': torch.float32, 'optional': optional}
    inputs = make_map_inputs(2, 5, 4, 6, 2, 3, **sizes)
    height, width = (torch.export.Dim(side, min=2, max=512) for side in ('height', 'width'))
    shapes = {k: {1: height, 2: width} if v.dim() > 3 else None for k, v in inputs.items()}
    program = export(model, inputs, shapes)
    assert loops(program) == 2  # one in each direction
    assert_same(program, model, inputs)
    assert_same(program, model, make_map_inputs(2, 3, 7, 6, 2, 3, **sizes))
