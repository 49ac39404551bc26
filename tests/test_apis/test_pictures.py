# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from PIL import Image

from mmseg_remamber.apis.pictures import list_pictures, load_picture


@pytest.fixture
def rgb():
    """(8, 12, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)


def load(source):
    """RGB of a picture."""
    return load_picture(source, 1).image[..., ::-1]


@pytest.mark.parametrize('orientation', range(1, 9))
def test_exif_orientation_is_applied(rgb, tmp_path, orientation):
    """As people see it; the tables of the EXIF standard, written out."""
    seen = {
        1: rgb,
        2: rgb[:, ::-1],
        3: rgb[::-1, ::-1],
        4: rgb[::-1],
        5: rgb.transpose(1, 0, 2),
        6: np.rot90(rgb, -1),
        7: rgb[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(rgb),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(rgb).save(tmp_path / 'turned.png', exif=exif)
    assert (load(tmp_path / 'turned.png') == seen).all()
    assert (load(Image.open(tmp_path / 'turned.png')) == seen).all()


def test_transparent_pixels_are_white(rgb, tmp_path):
    alpha = np.zeros((8, 12, 1), np.uint8)
    alpha[:, 6:] = 255
    Image.fromarray(np.concatenate((rgb, alpha), axis=2)).save(tmp_path / 'a.png')
    bgra = np.concatenate((rgb[..., ::-1], alpha), axis=2)
    for source in (tmp_path / 'a.png', bgra):
        assert (load(source)[:, :6] == 255).all()
        assert (load(source)[:, 6:] == rgb[:, 6:]).all()
    palette = Image.fromarray(rgb).quantize(4)
    palette.save(tmp_path / 'p.png', transparency=0)
    assert (load(tmp_path / 'p.png')[np.asarray(palette) == 0] == 255).all()


def test_grey_pictures(rgb, tmp_path):
    grey = rgb[..., 0]
    Image.fromarray(grey).save(tmp_path / 'l.png')
    Image.fromarray(grey.astype(np.uint16) * 256 + 7).save(tmp_path / '16.png')
    Image.fromarray(grey > 127).save(tmp_path / '1.png')
    for source in (tmp_path / 'l.png', tmp_path / '16.png', grey, grey[..., None]):
        assert (load(source) == grey[..., None]).all()
    assert (load(tmp_path / '1.png') == np.where(grey > 127, 255, 0)[..., None]).all()


def test_arrays_are_bgr(rgb):
    assert (load_picture(rgb, 1).image == rgb).all()
    assert load_picture(rgb[:, ::2], 1).image.flags.c_contiguous


def test_names():
    assert load_picture(np.zeros((1, 1, 3), np.uint8), 7).name == 'picture_7'


@pytest.mark.parametrize(
    ('source', 'error', 'match'),
    [
        ('nowhere.png', FileNotFoundError, "no picture 'nowhere.png'"),
        (np.zeros((4, 4, 3)), ValueError, 'must be an array of uint8, got float64'),
        (np.zeros((4, 4, 2), np.uint8), ValueError, r'got \(4, 4, 2\)'),
        (np.zeros((0, 4, 3), np.uint8), ValueError, r'got \(0, 4, 3\)'),
        (7, TypeError, 'must be a path, URL, array or PIL image, got int'),
    ],
)
def test_what_is_no_picture(source, error, match):
    with pytest.raises(error, match=match):
        load_picture(source, 1)


def test_damaged_files(rgb, tmp_path):
    (tmp_path / 'text.png').write_text('not an image')
    with pytest.raises(ValueError, match=r"text.png' is not an image"):
        load(tmp_path / 'text.png')
    (tmp_path / 'empty.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r"empty.png' is not an image"):
        load(tmp_path / 'empty.png')
    for suffix in ('png', 'jpg'):
        path = tmp_path / f'whole.{suffix}'
        Image.fromarray(rgb).resize((200, 100)).save(path)
        cut = tmp_path / f'cut.{suffix}'
        cut.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(ValueError, match=rf"could not decode image '.*cut.{suffix}'"):
            load(cut)


def test_more_pixels_than_any_photograph(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10)
    Image.new('RGB', (30, 10)).save(tmp_path / 'bomb.png')
    with pytest.raises(ValueError, match=r"bomb.png' is too large: .* exceeds limit"):
        load(tmp_path / 'bomb.png')


def test_folders(rgb, tmp_path):
    for name in ('b.JPG', 'a.png', 'c.txt'):
        if name != 'c.txt':
            Image.fromarray(rgb).save(tmp_path / name)
        else:
            (tmp_path / name).write_text('')
    assert [path.name for path in list_pictures(str(tmp_path))] == ['a.png', 'b.JPG']
    assert len(list_pictures([tmp_path, rgb])) == 3
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=r"empty' has no image \(.bmp"):
        list_pictures(tmp_path / 'empty')
