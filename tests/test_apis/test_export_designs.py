# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Exports of what is not the published model with the convolutional head."""

import numpy as np
import pytest
import tiny_model
import torch
from exporting import TEXTS, ids_of, model_of, prepared

from mmseg_remamber.apis.export import (
    client_metadata,
    expected_logits,
    export_program,
    save_onnx,
    save_tokenizer,
)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['mamba', 'attention', 'in-context', 'norm'])
def test_other_designs(name, tmp_path):
    if name == 'mamba':
        config = tiny_model.CONFIG.with_name(tiny_model.CONFIG.name.replace('conv', 'mamba'))
    else:
        (config,) = tiny_model.CONFIG.parent.glob(f'ablations/*_vmamba-mini_{name}_*')
    model = model_of(config)
    save_tokenizer(model, tmp_path / 'tokenizer.json')
    program = export_program(model)
    picture, ids = prepared(model, 50, 71), ids_of(tmp_path)
    batch, want = np.stack([picture.rgb] * 3), expected_logits(model, picture, TEXTS)
    got = program.module()(torch.from_numpy(batch), torch.from_numpy(ids)).detach()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    if name == 'mamba':  # the published heads run in onnxruntime, too
        onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
        save_onnx(program, tmp_path / 'model.onnx', client_metadata(model))
        session = onnxruntime.InferenceSession(tmp_path / 'model.onnx')
        (got,) = session.run(None, dict(image=batch, token_ids=ids))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
