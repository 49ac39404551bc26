# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: upload, type, run, see the masks; and what goes wrong is shown."""

import importlib.util
import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('gradio', reason='gradio is not installed (demo/requirements.txt)')
sync_api = pytest.importorskip(
    'playwright.sync_api', reason='playwright is not installed (demo/requirements.txt)'
)
pytestmark = pytest.mark.slow
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
SECONDS = 1000  # milliseconds


@pytest.fixture(scope='module')
def app(root):
    spec = importlib.util.spec_from_file_location('demo_app', root / 'demo' / 'app.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def address(app, tiny_checkpoint, scenes):
    """The page of a tiny model, served on a free port of this machine."""
    from mmseg_remamber.apis import RefSegInferencer

    inferencer = RefSegInferencer(weights=tiny_checkpoint, device='cpu', show_progress=False)
    page = app.build_page(inferencer, 'tiny', app.find_examples(inferencer.cfg))
    _, url, _ = app.serve(page, host='127.0.0.1', port=None, wait=False)
    yield url
    page.close()


@pytest.fixture(scope='module')
def browser():
    if CHROMIUM is None:
        pytest.skip('no Chromium is installed (Debian: apt-get install chromium)')
    with sync_api.sync_playwright() as playwright:
        # the superuser of a container has no sandbox
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=['--no-sandbox', '--disable-dev-shm-usage']
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    page = browser.new_page(viewport=dict(width=1200, height=900))
    page.set_default_timeout(60 * SECONDS)
    page.goto(address)
    page.get_by_role('button', name='Find').wait_for()
    yield page
    page.close()


def upload(page, content: bytes, name: str) -> None:
    page.locator('#picture input[type=file]').set_input_files(
        dict(name=name, mimeType='image/png', buffer=content)
    )


def png(orientation=1) -> bytes:
    """60 x 40 pixels of noise, with an EXIF orientation."""
    file = io.BytesIO()
    array = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(array).save(file, 'PNG', exif=exif)
    return file.getvalue()


def file_of(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, 'PNG')
    return file.getvalue()


def ask(page, text: str) -> None:
    page.locator('#sentences textarea').fill(text)
    page.get_by_role('button', name='Find').click()


def shown_picture(page, address) -> np.ndarray:
    """The picture with masks, (h, w, 3), as the browser got it."""
    image = page.locator('#masks img')
    image.wait_for()
    content = page.request.get(image.get_attribute('src')).body()
    return np.asarray(Image.open(io.BytesIO(content)).convert('RGB'))


def test_upload_type_run_and_see_the_masks(page, address, app):
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    ask(page, 'the red circle\nthe square on the left\n左边的圆')
    picture = shown_picture(page, address)
    assert picture.shape[1] == 480  # 60 pixels, enlarged by a whole number
    assert picture.shape[0] > 320  # the sentences are below it
    rows = page.locator('#scores tbody tr')
    sync_api.expect(rows.filter(has_text='the square on the left').first).to_be_visible()
    sync_api.expect(rows.filter(has_text='左边的圆').first).to_be_visible()
    sync_api.expect(rows.filter(has_text=re.compile(r'0\.\d\d')).first).to_be_visible()


def test_a_photograph_is_turned_once_by_its_exif_tag(page, address):
    upload(page, png(orientation=6), 'turned.png')
    page.locator('#picture img').wait_for()
    ask(page, 'the red circle')
    assert shown_picture(page, address).shape[0] > 480  # 40 x 60, enlarged 8 times


@pytest.mark.parametrize(
    ('mode', 'size', 'colour', 'drawn', 'seen'),
    [
        ('RGB', (1, 1), (255, 0, 0), (480, 480), (255, 0, 0)),  # enlarged by a whole number
        ('RGB', (8000, 6000), (255, 0, 0), (1600, 1200), (255, 0, 0)),  # made smaller
        ('L', (60, 40), 128, (480, 320), (128, 128, 128)),
        ('LA', (60, 40), (128, 0), (480, 320), (255, 255, 255)),  # nothing, on white
        ('RGBA', (60, 40), (255, 0, 0, 0), (480, 320), (255, 255, 255)),
        ('1', (60, 40), 1, (480, 320), (255, 255, 255)),
        ('I;16', (60, 40), 128 << 8, (480, 320), (128, 128, 128)),
    ],
)
def test_any_picture(page, address, mode, size, colour, drawn, seen):
    upload(page, file_of(Image.new(mode, size, colour)), 'picture.png')
    page.locator('#picture img').wait_for()
    ask(page, 'the red circle')
    picture = shown_picture(page, address)
    assert picture.shape[1] == drawn[0]
    assert picture.shape[0] > drawn[1]  # the sentence is below it
    grey = 127 + Image.new('RGB', (1, 1), seen).convert('L').getpixel((0, 0)) // 2
    shown = np.median(picture[: drawn[1]], axis=(0, 1))
    # the colour itself in a mask, half of its contrast outside
    assert any(shown == pytest.approx(colour, abs=1) for colour in (seen, [grey] * 3))


def test_interaction_maps_on_request(page, address):
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    page.locator('#sentences textarea').fill('the red circle')
    page.get_by_text('What each place has to do with each word').click()
    page.get_by_role('button', name='Show the maps').click()
    image = page.locator('#maps img')
    image.wait_for()
    content = page.request.get(image.get_attribute('src')).body()
    picture = np.asarray(Image.open(io.BytesIO(content)).convert('RGB'))
    assert picture.shape[0] > 200 and picture.shape[1] > 400 and picture.std() > 10


def test_interaction_maps_need_a_sentence(page):
    page.get_by_text('What each place has to do with each word').click()
    page.get_by_role('button', name='Show the maps').click()
    toast = page.locator('.toast-body').filter(has_text='write a sentence first')
    sync_api.expect(toast.first).to_be_visible()


def test_an_example_fills_the_form(page, address):
    page.locator('.gallery-item, table tr.tr-body').first.click()
    page.locator('#picture img').wait_for()
    assert page.locator('#sentences textarea').input_value().strip()
    page.get_by_role('button', name='Find').click()
    assert shown_picture(page, address).size


@pytest.mark.parametrize(
    ('content', 'text', 'message'),
    [
        (None, 'the dog', 'Choose a picture first'),
        (png(), ' \n ', 'Write a sentence first'),
        (png(), '\n'.join('abcdefghijklmnopq'), '17 sentences: at most 16'),
        (b'no picture at all', 'the dog', 'not an image|cannot identify|Cannot'),
        (png()[:2000], 'the dog', 'could not decode'),
    ],
)
def test_errors_are_shown(page, content, text, message):
    if content is not None:
        upload(page, content, 'picture.png')
        page.locator('#picture img').wait_for(state='attached')
    ask(page, text)
    toast = page.locator('.toast-body').filter(has_text=re.compile(message))
    sync_api.expect(toast.first).to_be_visible()


def test_a_long_sentence_says_that_it_was_cut(page):
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    ask(page, 'very ' * 1000 + 'long')
    row = page.locator('#scores tbody tr').filter(has_text='only the beginning was read')
    sync_api.expect(row.first).to_be_visible()


def test_a_file_over_the_limit_is_refused(page):
    upload(page, bytes(21 * 1024 * 1024), 'large.png')
    toast = page.locator('.toast-body').filter(has_text=re.compile('exceeds|size', re.IGNORECASE))
    sync_api.expect(toast.first).to_be_visible()
