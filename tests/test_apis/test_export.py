# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmseg.registry import DATASETS
from PIL import Image
from tokenizers import Tokenizer

from mmseg_remamber.apis import init_model
from mmseg_remamber.apis.export import (
    ExportableSegmentor,
    client_metadata,
    expected_logits,
    export_program,
    save_onnx,
    save_tokenizer,
)
from mmseg_remamber.datasets.refshapes import write_refshapes

CONFIG = 'configs/remamber/remamber-{}_vmamba-mini_1xb16-2800i_refshapes-80x80.py'
TEXTS = ('the red circle', 'left ' * 40, 'naïve 圆 🙂')


def model_of(root, name):
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match='untrained'):
        return init_model(root / CONFIG.format(name)).eval()


@pytest.fixture(scope='module')
def model(root):
    return model_of(root, 'conv')


@pytest.fixture(scope='module')
def program(model):
    return export_program(model)


@pytest.fixture(scope='module')
def exported(model, program, tmp_path_factory):
    """A folder as tools/export.py writes it."""
    pytest.importorskip('onnxscript', reason='exporting to ONNX needs onnxscript')
    folder = tmp_path_factory.mktemp('exported')
    save_tokenizer(model, folder / 'tokenizer.json')
    save_onnx(program, folder / 'model.onnx', client_metadata(model))
    torch.export.save(program, folder / 'model.pt2')
    return folder


def picture(height, width):
    return np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)


def ids_of(folder):
    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    return np.array([tokenizer.encode(text).ids for text in TEXTS])


def test_the_tokenizer_is_that_of_the_pipeline(model, tmp_path):
    from mmseg_remamber.datasets.transforms import TokenizeText

    save_tokenizer(model, tmp_path / 'tokenizer.json')
    tokenize = TokenizeText(max_tokens=20)
    for text, ids in zip(TEXTS, ids_of(tmp_path).tolist(), strict=True):
        assert ids == tokenize(dict(text=text))['token_ids'].tolist()


def test_the_mask_follows_from_the_ids(model, tmp_path):
    save_tokenizer(model, tmp_path / 'tokenizer.json')
    image = picture(40, 56)
    with torch.no_grad():
        got = ExportableSegmentor(model)(
            torch.from_numpy(np.stack([image] * 3)), torch.from_numpy(ids_of(tmp_path))
        )
    np.testing.assert_allclose(got, expected_logits(model, image, TEXTS), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('size', [(64, 96), (33, 61), (80, 80)])
def test_any_batch_and_size(model, exported, size):
    onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
    session = onnxruntime.InferenceSession(exported / 'model.onnx')
    loaded = torch.export.load(exported / 'model.pt2').module()
    ids, image = ids_of(exported), picture(*size)
    want = expected_logits(model, image, TEXTS)
    for rows in (1, 3):
        batch = np.stack([image] * rows)
        (got,) = session.run(None, dict(image=batch, token_ids=ids[:rows]))
        np.testing.assert_allclose(got, want[:rows], rtol=1e-4, atol=1e-4)
        got = loaded(torch.from_numpy(batch), torch.from_numpy(ids[:rows]))
        np.testing.assert_allclose(got.detach(), want[:rows], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', ['mamba', *(f'conv_vmamba-mini_{x}' for x in ('attention', 'in-context', 'norm'))]
)
def test_other_designs(root, name, tmp_path):
    global_name = CONFIG.format(name)
    if 'mini' in name:
        global_name = f'configs/remamber/fusion/remamber-{name}_1xb16-2800i_refshapes-80x80.py'
    with pytest.warns(UserWarning, match='untrained'):
        model = init_model(root / global_name)
    save_tokenizer(model, tmp_path / 'tokenizer.json')
    program = export_program(model)
    image, ids = picture(50, 71), ids_of(tmp_path)
    batch, want = np.stack([image] * 3), expected_logits(model, image, TEXTS)
    got = program.module()(torch.from_numpy(batch), torch.from_numpy(ids)).detach()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    if name == 'mamba':  # the published heads run in onnxruntime, too
        onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
        save_onnx(program, tmp_path / 'model.onnx', client_metadata(model))
        session = onnxruntime.InferenceSession(tmp_path / 'model.onnx')
        (got,) = session.run(None, dict(image=batch, token_ids=ids))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_client_without_torch(root, model, exported, tmp_path):
    pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
    write_refshapes(tmp_path, dict(val=2), size=80, seed=5)
    source = model.cfg.test_dataloader.dataset.copy()
    source.update(data_root=str(tmp_path), split='val')
    dataset = DATASETS.build(source)
    (sample,) = model.test_step(pseudo_collate([dataset[0]]))
    program = (
        'import runpy, sys; runpy.run_path(sys.argv[0], run_name="__main__"); '
        'heavy = {"torch", "mmseg", "mmengine", "transformers", "mmseg_remamber"}; '
        'sys.exit(f"imported {heavy & set(sys.modules)}" if heavy & set(sys.modules) else 0)'
    )
    client, out = root / 'demo' / 'onnx_client.py', tmp_path / 'mask.png'
    argv = [str(client), str(exported), sample.img_path, sample.text, str(out)]
    program = f'import sys; sys.argv = {argv!r}; {program}'
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 'of the picture, score' in done.stdout
    mask, want = np.asarray(Image.open(out)), sample.pred_sem_seg.data[0].numpy() > 0
    assert mask.shape == want.shape
    assert (mask == want).mean() > 0.999


def test_training_mode_is_refused(model):
    model.train()
    try:
        with pytest.raises(ValueError, match='model must be in evaluation mode'):
            ExportableSegmentor(model)
    finally:
        model.eval()
