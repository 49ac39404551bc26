# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Exports of the other families than ReMamber, in small."""

import numpy as np
import pytest
import torch
from exporting import TEXTS, ids_of, prepared
from small_families import CONFIGS, MINI, reduced, thin

from mmseg_remamber.apis.export import (
    client_metadata,
    expected_logits,
    export_program,
    save_onnx,
    save_tokenizer,
)
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model

LAVT = CONFIGS / 'lavt/lavt-one_swin-b_8xb4-40e_refcoco-480x480.py'
PIECES = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'red', 'circle', 'left', '##t']
#: One window a map and many; sides that are multiples of the patch, and not.
SIZES = [(33, 61), (50, 71), (64, 96), (190, 161)]


def lavt(folder):
    """The published model, with BERT and its cut sentences, in small."""
    vocabulary = folder / 'vocab.txt'
    vocabulary.write_text('\n'.join(PIECES))
    cfg = reduced(LAVT, vocabulary)
    cfg.model.text_encoder.update(layers=1, trained_layers=None)
    return cfg


def lgformer(folder):
    """The mini model, with CLIP's text encoder, in small."""
    cfg = thin(load_config(MINI['lgformer']))
    cfg.model.decode_head.update(layers=1, auxiliary_weights=[0.3])
    return cfg


@pytest.mark.slow
@pytest.mark.parametrize('config', [lavt, lgformer])
def test_any_batch_and_size(config, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
    torch.manual_seed(0)
    model = build_model(config(tmp_path))
    save_tokenizer(model, tmp_path / 'tokenizer.json')
    program = export_program(model)
    save_onnx(program, tmp_path / 'model.onnx', client_metadata(model))
    session = onnxruntime.InferenceSession(tmp_path / 'model.onnx')
    network = program.module()
    ids = ids_of(tmp_path)
    for size in SIZES:
        picture = prepared(model, *size)
        want = expected_logits(model, picture, TEXTS)
        assert np.ptp(want) > 1e-2
        for rows in (1, 3):
            batch = np.stack([picture.rgb] * rows)
            inputs = dict(image=batch, token_ids=ids[:rows])
            got = network(*map(torch.from_numpy, inputs.values())).detach()
            np.testing.assert_allclose(got, want[:rows], rtol=1e-4, atol=1e-4)
            (got,) = session.run(None, inputs)
            np.testing.assert_allclose(got, want[:rows], rtol=1e-4, atol=1e-4)
