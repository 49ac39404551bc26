# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import tiny_model
import torch
from mmengine.dataset import Compose, pseudo_collate
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from torch._dynamo.testing import CompileCounterWithBackend

from mmseg_remamber.apis import RefSegInferencer, init_model

TEXTS = ['the red circle', 'the square on the left', 'the large triangle']


@pytest.fixture(scope='module')
def inferencer(tiny_checkpoint):
    return RefSegInferencer(weights=tiny_checkpoint, device='cpu', show_progress=False)


@pytest.fixture(scope='module')
def image():
    """(47, 61, 3) uint8 BGR."""
    return np.random.default_rng(0).integers(0, 256, (47, 61, 3), dtype=np.uint8)


def predict_alone(checkpoint, image, text):
    """Mask and probabilities by the segmentor's own predict, one image with one sentence."""
    model = init_model(None, checkpoint)
    pipeline = Compose(
        [
            dict(type='Resize', scale=(80, 80), keep_ratio=False, backend='pillow'),
            dict(type='TokenizeText', max_tokens=20),
            dict(type='PackRefSegInputs'),
        ]
    )
    size = image.shape[:2]
    sample = pipeline(dict(img=image, img_shape=size, ori_shape=size, text=text))
    with torch.no_grad():
        (result,) = model.test_step(pseudo_collate([sample]))
    return result.pred_sem_seg.data[0].numpy() > 0, result.seg_logits.data[0].sigmoid().numpy()


def test_masks_are_those_of_the_model_alone(inferencer, tiny_checkpoint, image):
    """Sharing an image among sentences and batching change nothing."""
    other = image[::-1, :40].copy()
    found = inferencer([image, other], TEXTS, batch_size=4)['predictions']
    for picture, masks in zip([image, other], found, strict=True):
        assert [item.text for item in masks] == TEXTS
        for item in masks:
            mask, probability = predict_alone(tiny_checkpoint, picture, item.text)
            assert mask.any() and not mask.all()
            assert item.mask.shape == picture.shape[:2] and item.mask.dtype == bool
            assert (item.mask != mask).mean() < 0.002  # float32 at the threshold
            assert item.score == pytest.approx(probability[mask].mean(), abs=1e-3)
    assert (found[0][0].mask != found[0][1].mask).any(), 'the sentence plays no part'


def test_an_image_and_a_sentence_are_encoded_once(inferencer, image, monkeypatch):
    model = inferencer.model
    seen = dict(stage=0, text=0)

    def count(name, module):
        forward = module.forward

        def counted(*args):
            seen[name] += len(args[0])
            return forward(*args)

        monkeypatch.setattr(module, 'forward', counted)

    count('stage', model.backbone.image.patch_embed)
    count('text', model.text_encoder)
    inferencer([image, image, image], [*TEXTS, TEXTS[0]], batch_size=12)
    assert seen == dict(stage=3, text=3)


def test_every_kind_of_input_gives_the_same(inferencer, image, tmp_path):
    path = tmp_path / 'noise.png'
    Image.fromarray(image[..., ::-1]).save(path)
    (tmp_path / 'notes.txt').write_text('not an image')
    want = inferencer(image, TEXTS[0])['predictions'][0][0].mask
    kinds = [path, str(path), path.as_uri(), tmp_path, Image.open(path), [path]]
    for source in kinds[:2] + kinds[3:]:
        ((found,),) = inferencer(source, TEXTS[0])['predictions']
        assert (found.mask == want).all()


def test_an_address_is_read(inferencer, image, tmp_path):
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    Image.fromarray(image[..., ::-1]).save(tmp_path / 'noise.png')
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}'
        ((found,),) = inferencer(f'{address}/noise.png?size=1', 'x')['predictions']
        with pytest.raises(OSError, match='404'):
            inferencer(f'{address}/nowhere.png', 'x')
        server.shutdown()
    assert (found.mask == inferencer(image, 'x')['predictions'][0][0].mask).all()


def test_sentences_of_their_own(inferencer, image):
    found = inferencer([image, image], [TEXTS[:1], TEXTS[1:]])['predictions']
    assert [[item.text for item in masks] for masks in found] == [TEXTS[:1], TEXTS[1:]]


def test_threshold_and_score(inferencer, image):
    masks = [
        inferencer(image, TEXTS[0], threshold=threshold)['predictions'][0][0]
        for threshold in (0.3, 0.7, 0.9999)
    ]
    assert masks[0].mask.sum() > masks[1].mask.sum() > 0
    assert 0.3 < masks[0].score < masks[1].score <= 1
    assert masks[2].score == 0 and not masks[2].mask.any()
    assert masks[2].caption == 'nothing found: the red circle'


def test_files(inferencer, image, tmp_path):
    for folder in 'ab':
        (tmp_path / folder).mkdir()
        Image.fromarray(image).save(tmp_path / folder / 'noise.png')
    sources = [tmp_path / 'a', tmp_path / 'b' / 'noise.png', image]
    out = tmp_path / 'out'
    found = inferencer(sources, ['左边 🔴', TEXTS[1]], out_dir=out, return_vis=True)
    coco = COCO(out / 'results.json')
    names = [coco.imgs[i]['file_name'] for i in (1, 2, 3)]
    assert names == ['noise', 'noise-2', 'picture_3']
    for number, (name, masks) in enumerate(zip(names, found['predictions'], strict=True), 1):
        overlay = np.asarray(Image.open(out / 'vis' / f'{name}.png'))
        assert (overlay == found['visualization'][number - 1]).all()
        for k, (item, entry) in enumerate(zip(masks, coco.imgToAnns[number], strict=True), 1):
            assert (coco_mask.decode(entry['segmentation']) == item.mask).all()
            png = np.asarray(Image.open(out / 'pred' / f'{name}_{k}.png'))
            assert (png == 255 * item.mask).all()
            assert entry['text'] == item.text and entry['score'] == item.score
            assert entry['area'] == item.mask.sum()


def test_a_model_by_its_name_and_by_its_config(tiny_checkpoint, image, inferencer):
    want = inferencer(image, TEXTS[0])['predictions'][0][0].mask
    for model in (tiny_model.CONFIG.stem, tiny_model.CONFIG):
        named = RefSegInferencer(model, tiny_checkpoint, device='cpu', show_progress=False)
        assert (named(image, TEXTS[0])['predictions'][0][0].mask == want).all()
    with pytest.raises(FileNotFoundError, match=r"named 'remamber-conv'; there are remamber-conv_"):
        RefSegInferencer('remamber-conv', tiny_checkpoint)
    with pytest.raises(FileNotFoundError, match=r"config 'nowhere/a.py' does not exist"):
        RefSegInferencer('nowhere/a.py', tiny_checkpoint)


def test_img_size(tiny_checkpoint, image):
    small = RefSegInferencer(weights=tiny_checkpoint, img_size=(48, 32), show_progress=False)
    (prepared,) = small.preprocess([image])
    assert prepared.inputs.shape == (3, 32, 48)
    ((found,),) = small(image, 'x')['predictions']
    assert found.mask.shape == (47, 61)


@pytest.mark.parametrize('hw', [(1, 1), (1, 300), (6000, 8000)])
def test_pictures_of_any_size(inferencer, tmp_path, hw):
    picture = np.full((*hw, 3), 90, np.uint8)
    picture[: hw[0] // 2] = 200
    found = inferencer(picture, 'a', out_dir=tmp_path, return_vis=True)
    assert found['predictions'][0][0].mask.shape == hw
    assert 480 <= max(found['visualization'][0].shape) <= 2000
    (entry,) = COCO(tmp_path / 'results.json').dataset['annotations']
    assert entry['segmentation']['size'] == list(hw)


def test_pictures_of_several_sizes_without_a_resize(tiny_checkpoint, image):
    """A config that neither resizes nor names a size takes pictures as they are."""
    model = init_model(None, tiny_checkpoint)
    cfg = model.cfg.copy()
    cfg.pop('img_size')
    free = RefSegInferencer(cfg, tiny_checkpoint, device='cpu', show_progress=False)
    pictures = [image, image, image[:40], image]
    found = free(pictures, TEXTS[:2], batch_size=8)['predictions']
    for picture, masks in zip(pictures, found, strict=True):
        assert all(item.mask.shape == picture.shape[:2] for item in masks)
    assert (found[0][1].mask != found[3][1].mask).mean() < 0.002


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(texts=''), "a sentence must have a word, got ''"),
        (dict(texts=['a', ' \n']), "a sentence must have a word, got ' "),
        (dict(texts=[]), 'texts is empty'),
        (dict(texts=[['a'], ['b']]), 'texts has lists for 2 pictures, there are 1'),
        (dict(texts=[['a'], 'b']), 'a list of sentences for each picture'),
        (dict(texts=[[]]), 'no sentence for picture 1'),
        (dict(inputs=[]), 'inputs is empty'),
        (dict(batch_size=0), 'batch_size must be at least 1, got 0'),
        (dict(threshold=1.0), r'threshold must be in \(0, 1\), got 1.0'),
    ],
)
def test_wrong_options(inferencer, image, options, match):
    with pytest.raises(ValueError, match=match):
        inferencer(**{**dict(inputs=image, texts='a'), **options})


def test_a_long_sentence_is_cut_and_said_to_be(inferencer, image):
    with pytest.warns(UserWarning, match='the model reads the first 20 of the 1002 tokens of'):
        ((found,),) = inferencer(image, 'word ' * 1000)['predictions']
    assert found.truncated and found.num_tokens == 1002
    ((short,),) = inferencer(image, 'word ' * 18)['predictions']
    assert not short.truncated
    assert (short.mask == found.mask).all()


@pytest.mark.parametrize('text', ['左边的红色圆圈', '🔴👨‍👩‍👧', 'العربية', '$x_1$ \\ % <b>'])
def test_sentences_of_any_script(inferencer, image, text, tmp_path):
    inferencer(image, text, out_dir=tmp_path)
    (entry,) = json.loads((tmp_path / 'results.json').read_text(encoding='utf-8'))['annotations']
    assert entry['text'] == text
    assert (tmp_path / 'vis' / 'picture_1.png').is_file()


def test_a_checkpoint_without_a_config(tiny_checkpoint, tmp_path):
    state = torch.load(tiny_checkpoint, weights_only=True)['state_dict']
    torch.save(dict(state_dict=state), tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match=r'bare.pth. has no config in it'):
        RefSegInferencer(weights=tmp_path / 'bare.pth')
    RefSegInferencer(tiny_model.CONFIG, tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match='model is None'):
        RefSegInferencer()


@pytest.mark.parametrize(
    ('device', 'match'),
    [('gpu', "device must be such as cpu or cuda:0, got 'gpu'"), ('cuda:0', 'finds no GPU')],
)
def test_devices_that_are_not_there(tiny_checkpoint, device, match):
    if device == 'cuda:0' and torch.cuda.is_available():
        pytest.skip('this machine has a GPU')
    with pytest.raises(ValueError, match=match):
        RefSegInferencer(weights=tiny_checkpoint, device=device)


@pytest.mark.parametrize('by_config', [False, True])
def test_bfloat16(tiny_checkpoint, inferencer, image, by_config):
    """Asked for, or the config's; text encoder and network compute in it, nearly the same."""
    if by_config:
        cfg = inferencer.cfg.copy()
        cfg.model.predict_dtype = 'bfloat16'
        chosen = dict(model=cfg)
    else:
        chosen = dict(dtype='bfloat16')
    low = RefSegInferencer(weights=tiny_checkpoint, device='cpu', show_progress=False, **chosen)
    dtypes = []
    layer = low.model.text_encoder.model.encoder.layers[0].mlp.fc1
    conv = next(m for m in low.model.backbone.modules() if isinstance(m, torch.nn.Conv2d))
    for module in (layer, conv):
        module.register_forward_hook(lambda module, args, out: dtypes.append(out.dtype))
    ((found,),) = low(image, TEXTS[0])['predictions']
    assert dtypes == [torch.bfloat16, torch.bfloat16]
    ((want,),) = inferencer(image, TEXTS[0])['predictions']
    assert (found.mask != want.mask).mean() < 0.02
    assert found.score == pytest.approx(want.score, rel=2e-2) and found.score != want.score


def test_float32_where_the_config_has_bfloat16(tiny_checkpoint, inferencer, image):
    cfg = inferencer.cfg.copy()
    cfg.model.predict_dtype = 'bfloat16'
    full = RefSegInferencer(
        cfg, tiny_checkpoint, device='cpu', dtype='float32', show_progress=False
    )
    scores = [call(image, TEXTS[0])['predictions'][0][0].score for call in (full, inferencer)]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_compiled_masks_are_the_same(tiny_checkpoint, inferencer, image):
    """In one graph, which further pictures of the size use again."""
    torch._dynamo.reset()
    graphs = CompileCounterWithBackend('eager')
    compiled = RefSegInferencer(
        weights=tiny_checkpoint, device='cpu', show_progress=False,
        compile=dict(backend=graphs, fullgraph=True),
    )  # fmt: skip
    for picture in (image, image[::-1, :40].copy()):
        (want,) = inferencer(picture, TEXTS)['predictions']
        (found,) = compiled(picture, TEXTS)['predictions']
        for item, other in zip(found, want, strict=True):
            assert (item.mask != other.mask).mean() < 0.002
        assert graphs.frame_count == 1


@pytest.mark.parametrize(
    ('options', 'error', 'match'),
    [
        (dict(dtype='half'), ValueError, "dtype must be one of .*, got 'half'"),
        (dict(dtype='float16'), ValueError, "'float16' needs a GPU"),
        (dict(compile='yes'), TypeError, "compile must be True, False or a dict .*, got 'yes'"),
        (dict(compile=dict(mode='fast')), RuntimeError, 'Unrecognized mode=fast'),
        (dict(compile=dict(bakcend='eager')), TypeError, 'bakcend'),
    ],
)
def test_wrong_types_and_ways_of_compiling(tiny_checkpoint, options, error, match):
    with pytest.raises(error, match=match):
        RefSegInferencer(weights=tiny_checkpoint, device='cpu', **options)


def test_a_folder_that_cannot_be_written(inferencer, image, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match=r"out_dir '.*file/out' cannot be written"):
        inferencer(image, 'a', out_dir=tmp_path / 'file' / 'out')


def test_a_folder_without_permission(inferencer, image, tmp_path):
    locked = tmp_path / 'locked'
    locked.mkdir(mode=0o555)
    try:
        (locked / 'probe').mkdir()
    except PermissionError:
        with pytest.raises(OSError, match=r"locked' cannot be written: .*Permission denied"):
            inferencer(image, 'a', out_dir=locked)
    else:
        pytest.skip('this user may write anywhere')
