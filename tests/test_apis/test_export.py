# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import runpy
import subprocess
import sys

import numpy as np
import pytest
import tiny_model
import torch
from exporting import TEXTS, ids_of, model_of, noise, prepared
from mmengine.dataset import pseudo_collate
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_remamber.apis import RefSegInferencer
from mmseg_remamber.apis.export import (
    ExportableSegmentor,
    client_metadata,
    expected_logits,
    export_program,
    save_onnx,
    save_tokenizer,
)
from mmseg_remamber.datasets.refshapes import write_refshapes


@pytest.fixture(scope='module')
def model():
    return model_of(tiny_model.CONFIG)


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


@pytest.fixture(scope='module')
def runs(exported):
    """(image, token ids) -> logits, of both files."""
    onnxruntime = pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
    session = onnxruntime.InferenceSession(exported / 'model.onnx')
    network = torch.export.load(exported / 'model.pt2').module()
    return (
        lambda image, ids: session.run(None, dict(image=image, token_ids=ids))[0],
        lambda image, ids: network(torch.from_numpy(image), torch.from_numpy(ids)).detach(),
    )


def test_the_tokenizer_is_that_of_the_pipeline(model, tmp_path):
    from mmseg_remamber.datasets.transforms import TokenizeText

    save_tokenizer(model, tmp_path / 'tokenizer.json')
    tokenize = TokenizeText(max_tokens=20)
    for text, ids in zip(TEXTS, ids_of(tmp_path).tolist(), strict=True):
        assert ids == tokenize(dict(text=text))['token_ids'].tolist()


def test_the_mask_follows_from_the_ids(model, tmp_path):
    save_tokenizer(model, tmp_path / 'tokenizer.json')
    picture = prepared(model, 40, 56)
    assert (picture.rgb == noise(40, 56)[..., ::-1]).all()
    with torch.no_grad():
        got = ExportableSegmentor(model)(
            torch.from_numpy(np.stack([picture.rgb] * 3)), torch.from_numpy(ids_of(tmp_path))
        )
    np.testing.assert_allclose(got, expected_logits(model, picture, TEXTS), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('size', [(64, 96), (33, 61), (80, 80)])
def test_any_batch_and_size(model, exported, runs, size):
    ids, picture = ids_of(exported), prepared(model, *size)
    want = expected_logits(model, picture, TEXTS)
    for rows in (1, 3):
        batch = np.stack([picture.rgb] * rows)
        for run in runs:
            got = run(batch, ids[:rows])
            np.testing.assert_allclose(got, want[:rows], rtol=1e-4, atol=1e-4)


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


@pytest.mark.slow
@pytest.mark.parametrize('size', [(47, 61), (80, 80), (200, 150)])
def test_the_client_sees_what_the_inferencer_sees(root, model, exported, tmp_path, size):
    """Smaller and larger than the network's size, and turned by its EXIF tag."""
    pytest.importorskip('onnxruntime', reason='running ONNX needs onnxruntime')
    client = runpy.run_path(str(root / 'demo' / 'onnx_client.py'))['Client'](exported)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    inferencer = RefSegInferencer(
        model.cfg, tmp_path / 'model.pth', device='cpu', show_progress=False
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'turned.png'
    Image.fromarray(noise(*size)).save(path, exif=exif)
    ((want,),) = inferencer(path, TEXTS[0], threshold=model.threshold)['predictions']
    mask, score = client(Image.open(path), TEXTS[0])
    assert np.asarray(mask).shape == size[::-1]
    assert (np.asarray(mask) == want.mask).mean() > 0.999
    assert score == pytest.approx(want.score, abs=1e-4)


def test_training_mode_is_refused(model):
    model.train()
    try:
        with pytest.raises(ValueError, match='model must be in evaluation mode'):
            ExportableSegmentor(model)
    finally:
        model.eval()
