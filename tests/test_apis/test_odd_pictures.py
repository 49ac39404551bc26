# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One picture, several readers: all see the same pixels."""

import io
import runpy
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_remamber.apis import init_model
from mmseg_remamber.apis.pictures import load_picture
from mmseg_remamber.apis.query import Query
from mmseg_remamber.datasets.transforms import LoadRefImage

DEMO = Path(__file__).parents[2] / 'demo'


def gradient(height=24, width=36):
    """(H, W, 3) uint8, no two corners alike."""
    y, x = np.mgrid[:height, :width]
    return np.stack([7 * x, 9 * y, 5 * (x + y)], -1).astype(np.uint8)


def saved(image, suffix, **options):
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


def tiff_tags(*entries):
    """EXIF of raw entries (tag, type, count, four bytes), little-endian."""
    body = b''.join(struct.pack('<HHI4s', *entry) for entry in entries)
    return b'Exif\0\0II*\0\x08\0\0\0' + struct.pack('<H', len(entries)) + body + b'\0\0\0\0'


RGB = Image.fromarray(gradient())
ALPHA = Image.fromarray((gradient()[..., 0] > 90).astype(np.uint8) * 255)
DEEP = (gradient()[..., 0].astype(np.uint16) << 8) | 0x5A
TURNED = (0x0112, 3, 1, struct.pack('<HH', 6, 0))
BROKEN = {
    'float in a long tag': (0x8769, 11, 1, struct.pack('<f', 1.5)),
    'text in a short tag': (0x0128, 2, 3, b'ab\0\0'),
    'offset beyond the file': (0x010E, 2, 900, struct.pack('<I', 0xFFFFFF)),
    'unknown type': (0x0131, 99, 1, b'abcd'),
    'rational without room': (0x011A, 5, 1, struct.pack('<I', 0xFFFFFFF0)),
}
FILES = {
    'rgb.png': saved(RGB, 'png'),
    'rgb.jpg': saved(RGB, 'jpeg', quality=95),
    'grey.png': saved(RGB.convert('L'), 'png'),
    'one-bit.png': saved(RGB.convert('1'), 'png'),
    'grey16.png': saved(Image.fromarray(DEEP), 'png'),
    'grey16.tiff': saved(Image.fromarray(DEEP), 'tiff'),
    'grey-alpha.png': saved(Image.merge('LA', (RGB.convert('L'), ALPHA)), 'png'),
    'alpha.png': saved(Image.merge('RGBA', (*RGB.split(), ALPHA)), 'png'),
    'alpha.webp': saved(Image.merge('RGBA', (*RGB.split(), ALPHA)), 'webp', lossless=True),
    'palette.png': saved(RGB.quantize(9), 'png'),
    'palette-transparent.png': saved(RGB.quantize(9), 'png', transparency=3),
    'key-colour.png': saved(RGB, 'png', transparency=tuple(gradient()[5, 5].tolist())),
    'cmyk.jpg': saved(RGB.convert('CMYK'), 'jpeg', quality=95),
    'animated.gif': saved(
        RGB.quantize(9), 'gif', save_all=True, append_images=[RGB.transpose(0).quantize(9)]
    ),
    'tiny.png': saved(RGB.resize((1, 1)), 'png'),
    'thin.png': saved(RGB.resize((300, 2)), 'png'),
    'large.jpg': saved(RGB.resize((4000, 3000)), 'jpeg'),
    'turned.jpg': saved(RGB, 'jpeg', exif=tiff_tags(TURNED)),
    'mirrored.png': saved(RGB, 'png', exif=tiff_tags((*TURNED[:3], struct.pack('<HH', 5, 0)))),
    'no-orientation.jpg': saved(RGB, 'jpeg', exif=tiff_tags((*TURNED[:3], b'\x63\0\0\0'))),
    **{
        f'broken {name}.jpg': saved(RGB, 'jpeg', exif=tiff_tags(TURNED, entry))
        for name, entry in BROKEN.items()
    },
}


@pytest.fixture(scope='module')
def client():
    return runpy.run_path(str(DEMO / 'onnx_client.py'))


@pytest.fixture(scope='module')
def query(tiny_checkpoint):
    return Query(init_model(checkpoint=tiny_checkpoint))


@pytest.mark.parametrize('name', FILES)
def test_every_reader_sees_the_same(name, tmp_path, query, client):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    seen = load_picture(path, 1).image[..., ::-1]
    with Image.open(path) as image:
        assert (load_picture(image, 1).image[..., ::-1] == seen).all()
    stored = LoadRefImage()(dict(img_path=str(path)))['img'][..., ::-1]
    # the one difference: masks of datasets lie on the pixels as stored
    is_turned = name.startswith(('turned', 'broken', 'mirrored'))
    turned = stored.transpose(1, 0, 2) if name.startswith('mirrored') else np.rot90(stored, -1)
    assert (seen == (turned if is_turned else stored)).all()
    # what a client sees, and what the network is given
    with Image.open(path) as image:
        of_client = client['read'](image)
    assert (np.asarray(of_client) == seen).all()
    resized = of_client.resize(query.size, Image.Resampling.BILINEAR)
    assert (query.picture(path).rgb == np.asarray(resized)).all()


def test_sixteen_bits_become_eight_and_transparency_white(tmp_path):
    pixels = {}
    for name in ('grey16.png', 'grey16.tiff', 'alpha.png', 'alpha.webp', 'grey-alpha.png'):
        (tmp_path / name).write_bytes(FILES[name])
        pixels[name] = LoadRefImage()(dict(img_path=str(tmp_path / name)))['img'][..., ::-1]
    for name in ('grey16.png', 'grey16.tiff'):
        assert (pixels[name] == (DEEP >> 8)[..., None]).all()
    clear = np.asarray(ALPHA) == 0
    for name in ('alpha.png', 'alpha.webp', 'grey-alpha.png'):
        assert (pixels[name][clear] == 255).all()
    assert (pixels['alpha.png'][~clear] == gradient()[~clear]).all()


@pytest.mark.parametrize('mode', ['I', 'F'])
def test_pixels_without_an_agreed_white_are_refused(tmp_path, mode):
    path = tmp_path / 'deep.tiff'
    RGB.convert(mode).save(path)
    for read in (lambda: load_picture(path, 1), lambda: LoadRefImage()(dict(img_path=str(path)))):
        with pytest.raises(ValueError, match=rf"deep.tiff'?: its pixels are of 32 bits .*'{mode}'"):
            read()


@pytest.mark.parametrize('name', ['rgb.jpg', 'rgb.png', 'palette.png', 'alpha.webp'])
def test_a_file_cut_in_half_is_refused_by_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name][: len(FILES[name]) // 2])
    for read in (lambda: load_picture(path, 1), lambda: LoadRefImage()(dict(img_path=str(path)))):
        with pytest.raises(ValueError, match=path.name):
            read()
