# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import logging
from types import MappingProxyType

import golden
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_remamber.models import precision


def test_types_that_are_refused():
    with pytest.raises(ValueError, match=r"dtype must be one of \['bfloat16', .*, got 'half'"):
        precision.autocast('half', 'cpu')
    with pytest.raises(ValueError, match="'float16' needs a GPU; a CPU computes in 'bfloat16'"):
        precision.autocast('float16', torch.device('cpu'))
    config = golden.model_config('conv', 'small')
    with pytest.raises(ValueError, match=r"predict_dtype must be one of .*, got 'half'"):
        MODELS.build(dict(config, predict_dtype='half'))


def test_float32_leaves_the_context_as_it_is():
    with torch.autocast('cpu', torch.bfloat16), precision.autocast('float32', 'cpu'):
        assert torch.is_autocast_enabled('cpu')


@pytest.mark.parametrize('capability', [None, 'avx512_bf16', 'bf16'])
def test_bfloat16_in_software_is_told_of_once(monkeypatch, capability):
    capabilities = MappingProxyType({'avx2': True, 'avx512_bf16': False, capability: True})
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: capabilities)
    said = []
    monkeypatch.setattr(
        precision, 'print_log', lambda *args, **options: said.append((args, options))
    )
    precision._tell_if_slow.cache_clear()
    for _ in range(2):
        with precision.autocast('bfloat16', 'cpu'):
            assert torch.get_autocast_dtype('cpu') == torch.bfloat16
    precision._tell_if_slow.cache_clear()
    if capability is None:
        (((message,), options),) = said
        assert 'this CPU has no bfloat16 in hardware' in message
        assert options == dict(logger='current', level=logging.WARNING)
    else:
        assert said == []


@pytest.mark.parametrize('head', ['conv', 'mamba'])
def test_predictions_in_bfloat16_are_near_those_in_float32(head):
    """Relative L2 norm of the logits, with the published weights."""
    batch = golden.arrays(f'remamber_{head}_small_64x64')
    model = golden.build(head, 'small')
    logits = {}
    for dtype in ('float32', 'bfloat16'):
        model.predict_dtype = dtype
        samples = [SegDataSample() for _ in batch['img']]
        for sample, ids, mask in zip(samples, batch['ids'], batch['mask'], strict=True):
            sample.set_data(dict(token_ids=ids, token_mask=mask))
        with torch.no_grad():
            found = model.predict(batch['img'], samples)
        logits[dtype] = torch.stack([sample.seg_logits.data for sample in found])
        assert logits[dtype].dtype == torch.float32
    assert 1e-4 < golden.relative(logits['bfloat16'], logits['float32']) < 2e-2


def test_weights_kept_in_bfloat16_predict_the_same():
    batch = golden.arrays('remamber_mamba_small_64x64')
    model = golden.build('mamba', 'small').eval()
    inputs = batch['img'], batch['ids'], batch['mask']
    with torch.no_grad(), precision.autocast('bfloat16', 'cpu'):
        want = model.logits(*inputs)
        precision.keep_weights(model, 'bfloat16')
        assert model.backbone.image.stages[0][0].op.in_proj.weight.dtype == torch.bfloat16
        assert model.backbone.image.stages[0][0].op.A_logs.dtype == torch.float32
        assert torch.equal(model.logits(*inputs), want)


def test_weights_stay_in_float32_where_that_is_read():
    model = golden.build('conv', 'small')
    precision.keep_weights(model, 'float32')
    assert {p.dtype for p in model.parameters()} == {torch.float32}
