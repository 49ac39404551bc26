# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: upload, type, run, see the masks; and what goes wrong is shown."""

import importlib.util
import io
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import small_families
import torch
from PIL import Image

from mmseg_remamber.datasets.known import find_origin

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
def inferencer(tiny_checkpoint, tmp_path_factory):
    """A tiny model of RefShapes."""
    from mmseg_remamber.apis import RefSegInferencer

    content = torch.load(tiny_checkpoint, weights_only=False)
    origin = find_origin('refshapes', 'synthetic').to_dict()
    content['meta']['dataset_meta'] = dict(origin=origin)
    path = tmp_path_factory.mktemp('refshapes') / 'tiny.pth'
    torch.save(content, path)
    return RefSegInferencer(weights=path, device='cpu', show_progress=False)


@pytest.fixture(scope='module')
def address(app, inferencer, scenes):
    """Its page, served on a free port of this machine."""
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


@contextmanager
def opened(browser, address, **viewport):
    page = browser.new_page(viewport=viewport)
    page.set_default_timeout(60 * SECONDS)
    page.goto(address)
    page.get_by_role('button', name='Find').wait_for()
    yield page
    page.close()


@pytest.fixture
def page(browser, address):
    with opened(browser, address, width=1200, height=900) as page:
        yield page


@pytest.fixture
def phone(browser, address):
    with opened(browser, address, width=390, height=844) as page:
        yield page


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


@pytest.mark.parametrize('design', ['lavt', 'lgformer'])
def test_another_familys_model(app, browser, scenes, tmp_path, design):
    from mmseg_remamber.apis import RefSegInferencer

    weights = small_families.write_checkpoint(design, tmp_path / 'model.pth', scenes)
    model = RefSegInferencer(weights=weights, device='cpu', show_progress=False)
    built = app.build_page(model, design, app.find_examples(model.cfg))
    _, url, _ = app.serve(built, host='127.0.0.1', port=None, wait=False)
    try:
        with opened(browser, url, width=1200, height=900) as page:
            upload(page, png(), 'noise.png')
            page.locator('#picture img').wait_for()
            ask(page, 'the red circle')
            assert shown_picture(page, url).size
            show_maps_of(page)
    finally:
        built.close()


def test_interaction_maps_on_request(page, address):
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    page.locator('#sentences textarea').fill('the red circle')
    show_maps_of(page)


def show_maps_of(page):
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
    said = page.locator('#maps-said')
    sync_api.expect(said).to_have_text('Choose a picture and write a sentence first.')
    assert_no_badge(page)


def test_an_example_fills_the_form(page, address):
    page.locator('.gallery-item, table tr.tr-body').first.click()
    page.locator('#picture img').wait_for()
    assert page.locator('#sentences textarea').input_value().strip()
    page.get_by_role('button', name='Find').click()
    assert shown_picture(page, address).size


def assert_no_badge(page):
    """Nothing of gradio's own beside the page's words."""
    assert page.locator('.toast-body').count() == 0
    assert page.get_by_text('Error', exact=True).count() == 0


def exif_of(*tags) -> bytes:
    """EXIF of raw entries (tag, type, count, four bytes), little-endian."""
    body = b''.join(struct.pack('<HHI4s', *tag) for tag in tags)
    return b'Exif\0\0II*\0\x08\0\0\0' + struct.pack('<H', len(tags)) + body + b'\0\0\0\0'


@pytest.mark.parametrize(
    ('content', 'name', 'text', 'message'),
    [
        (None, '', '', 'Choose a picture and write a sentence first.'),
        (None, '', 'the dog', 'Choose a picture first.'),
        (png(), 'picture.png', '', 'Write a sentence first.'),
        (png(), 'picture.png', ' \n\t\u3000\n ', 'Write a sentence first.'),
        (png(), 'picture.png', '\n'.join('abcdefghijklmnopq'), '17 sentences: at most 16 at once.'),
        (b'no picture at all', 'my cat.png', 'the dog', "'my cat.png' is not an image."),
        (b'%PDF-1.4 no picture', 'renamed pdf.png', 'x', "'renamed pdf.png' is not an image."),
        (b'', 'nothing.png', 'x', "'nothing.png' is not an image."),
        (b'x', "it's <b>bold</b>.png", 'x', '"it\'s <b>bold</b>.png" is not an image.'),
        (
            png()[:2000],
            'cut & pasted.png',
            'x',
            r"re:Could not decode image 'cut & pasted.png': .+\.",
        ),
        (png()[:40], '图.png', 'x', r"re:(Could not decode image )?'图.png'.+\."),
    ],
)
def test_what_is_wrong_is_said_once_and_plainly(page, content, name, text, message):
    if content is not None:
        upload(page, content, name)
        page.locator('#picture img').wait_for(state='attached')
    ask(page, text)
    said = page.locator('#said .error')
    wanted = re.compile(f'^{message[3:]}$') if message.startswith('re:') else message
    sync_api.expect(said).to_have_text(wanted)
    assert '/' not in said.inner_text().replace('</b>', ''), 'shows where the server keeps files'
    assert_no_badge(page)
    assert page.locator('#masks img').count() == 0
    assert page.locator('#scores table').count() == 0


def test_a_message_goes_when_its_cause_is_gone(page, address):
    ask(page, 'the dog')
    sync_api.expect(page.locator('#said .error')).to_be_visible()
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    ask(page, 'the dog')
    assert shown_picture(page, address).size
    assert page.locator('#said .error').count() == 0


def test_a_file_of_another_kind_is_named(page):
    page.locator('#picture input[type=file]').set_input_files(
        dict(name='my notes.pdf', mimeType='application/pdf', buffer=b'%PDF-1.4')
    )
    toast = page.locator('.toast-body').filter(has_text='my notes.pdf')
    sync_api.expect(toast.first).to_be_visible()


ORIENTED = (0x0112, 3, 1, struct.pack('<HH', 6, 0))


@pytest.mark.filterwarnings('ignore:picture 1')
@pytest.mark.parametrize(
    ('mode', 'suffix', 'options'),
    [
        ('RGB', 'jpeg', dict(exif=exif_of(ORIENTED, (0x8769, 11, 1, struct.pack('<f', 1.5))))),
        ('RGB', 'jpeg', dict(exif=exif_of(ORIENTED, (0x0128, 2, 3, b'ab\0\0')))),
        ('RGB', 'jpeg', dict(exif=exif_of(ORIENTED, (0x011A, 5, 1, b'\xf0\xff\xff\xff')))),
        ('CMYK', 'jpeg', {}),
        ('P', 'png', dict(transparency=3)),
        ('I;16', 'png', {}),
        ('RGB', 'tiff', {}),
    ],
)
def test_odd_files_are_answered_as_by_the_inferencer(
    page, address, inferencer, tmp_path, mode, suffix, options
):
    rgb = Image.open(io.BytesIO(png())).convert('RGB')
    if mode == 'I;16':
        image = Image.fromarray(np.asarray(rgb)[..., 0].astype(np.uint16) << 8)
    else:
        image = rgb.convert(mode)
    path = tmp_path / f'odd.{suffix}'
    image.save(path, suffix, **options)
    upload(page, path.read_bytes(), path.name)
    page.locator('#picture img').wait_for(state='attached')
    ask(page, 'the red circle')
    (want,) = inferencer(path, 'the red circle', return_vis=True)['visualization']
    assert (shown_picture(page, address) == want).all()
    assert_no_badge(page)


def test_sixteen_sentences_at_once(page, address):
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    ask(page, '\n'.join(f'object {number}' for number in range(16)))
    assert shown_picture(page, address).size
    assert page.locator('#scores tbody tr').count() == 16


def test_the_page_says_what_the_model_was_trained_on(page):
    assert page.locator('#trained-on').inner_text().startswith('RefShapes (synthetic): drawings')


def test_the_page_says_where_nothing_is_recorded(app, inferencer, monkeypatch):
    monkeypatch.setattr(inferencer, 'trained_on', None)
    assert 'not recorded in the checkpoint' in app.head_of(inferencer, 'a')
    assert '&lt;b&gt;' in app.head_of(inferencer, '<b>')


def test_a_picture_of_another_kind_has_its_warning_above_the_result(page, scenes):
    doubt = page.locator('#said .doubt')
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    ask(page, 'person on left in front red tie')
    page.locator('#masks img').wait_for()
    sync_api.expect(doubt).to_have_text(re.compile('^The model was trained on drawings .*none of'))
    assert doubt.bounding_box()['y'] < page.locator('#masks').bounding_box()['y']
    # and none above a scene's
    page.reload()
    page.get_by_role('button', name='Find').wait_for()
    upload(page, min((scenes / 'images').glob('*.jpg')).read_bytes(), 'scene.jpg')
    page.locator('#picture img').wait_for()
    ask(page, 'the circle')
    page.locator('#masks img').wait_for()
    assert doubt.count() == 0


def test_examples_have_a_sentence_a_line(page):
    rows = page.locator('#examples tr.tr-body')
    for number in range(rows.count()):
        cell = rows.nth(number).locator('td').nth(1)
        lines = [line.strip() for line in cell.inner_text().strip().splitlines()]
        cell.click()
        page.wait_for_function(
            "text => document.querySelector('#sentences textarea').value == text",
            arg='\n'.join(lines),
        )
        assert all(lines)
    assert rows.count() == 4


def test_sentences_of_examples_are_shown_whole(app):
    long = 'x' * 61
    assert app._few(['a', 'b', 'c', 'd']) == ['a', 'b', 'c']
    assert app._few([long, 'a' * 30, 'b' * 30, 'c']) == ['a' * 30, 'c']
    assert app._few([long, long]) == [long]


@pytest.mark.parametrize('size', [(60, 40), (40, 90), (30, 300)])
def test_on_a_phone_the_result_is_on_the_screen(phone, address, size):
    file = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).save(file, 'PNG')
    upload(phone, file.getvalue(), 'grey.png')
    phone.locator('#picture img').wait_for()
    ask(phone, 'the red circle\nthe square')
    assert shown_picture(phone, address).size
    in_sight = "document.querySelector('{}').getBoundingClientRect().top < innerHeight"
    for what in ('#said', '#masks img'):
        phone.wait_for_function(in_sight.format(what))
    assert phone.locator('#said').bounding_box()['y'] > -5
    # nothing is wider than the screen
    assert phone.evaluate('document.documentElement.scrollWidth') <= 390


def test_on_a_phone_a_message_is_on_the_screen(phone):
    ask(phone, '')
    said = phone.locator('#said .error')
    said.wait_for()
    assert 0 <= said.bounding_box()['y'] < 844


def test_beside_the_form_nothing_moves(page, address):
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    before = page.evaluate('scrollY')
    ask(page, 'the red circle')
    assert shown_picture(page, address).size
    assert page.evaluate('scrollY') - before < 100


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (MemoryError(), "There is not enough memory for 'a.png'."),
        (OSError(28, 'No space left on device'), '[Errno 28] No space left on device.'),
        (FloatingPointError('the result is no number'), 'The result is no number.'),
        (ValueError('PATH is odd'), 'a.png is odd'),
    ],
)
def test_what_the_inferencer_refuses_is_said(app, error, message, tmp_path):
    class Inferencer:
        def __call__(self, *args, **options):
            raise error

    path = tmp_path / 'a.png'
    path.write_bytes(png())
    if isinstance(error, ValueError):
        error = ValueError(str(error).replace('PATH', str(path)))
    said, overlay, table = app.Page(Inferencer()).run(
        dict(path=str(path), orig_name='a.png'), 'it', 0.5
    )
    assert said == app.message(message, 'error')
    assert overlay['value'] is None and table == ''


def test_what_nobody_expected_is_said_too(page, inferencer, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError('of the device')

    monkeypatch.setattr(type(inferencer), '__call__', fail)
    upload(page, png(), 'noise.png')
    page.locator('#picture img').wait_for()
    ask(page, 'the red circle')
    sync_api.expect(page.locator('#said .error')).to_have_text(re.compile('went wrong'))


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


@pytest.fixture
def start(root, tmp_path):
    """Starts the page as a command and waits for its end, or for its address: (status, output)."""

    def call(*arguments):
        command = [sys.executable, str(root / 'demo' / 'app.py'), *map(str, arguments)]
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'http_proxy': 'http://127.0.0.1:9'}
        output = tmp_path / 'output.txt'
        with (
            output.open('w') as file,
            subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=file, stderr=subprocess.STDOUT
            ) as process,
        ):
            while process.poll() is None and 'page: http' not in output.read_text():
                try:
                    process.wait(0.5)
                except subprocess.TimeoutExpired:
                    continue
            process.terminate()
        return process.returncode, output.read_text()

    return call


@pytest.fixture
def taken():
    with socket.create_server(('127.0.0.1', 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_told_in_a_line(start, tiny_checkpoint, taken):
    status, output = start('--checkpoint', tiny_checkpoint, '--port', taken)
    assert status == 1
    (line,) = output.splitlines()
    assert line == f'error: port {taken} is in use by another program: choose another by --port'


def test_without_a_port_the_next_free_one_is_taken(start, tiny_checkpoint):
    try:
        server = socket.create_server(('127.0.0.1', 7860))
    except OSError:  # another program has it, which is as good
        server = socket.socket()
    with server:
        status, output = start('--checkpoint', tiny_checkpoint)
    assert status != 1, output
    found = re.search(r'port 7860 is in use by another program: the page takes (\d+)', output)
    assert found and f'page: http://127.0.0.1:{found[1]}/' in output
    assert 'share' not in output


@pytest.mark.parametrize(
    ('host', 'port', 'message'),
    [
        ('127.0.0.1', 99999, r'served at 127.0.0.1:99999: .*0-65535'),
        ('no.such.host.invalid', 7860, 'served at no.such.host.invalid:7860: .+'),
        ('203.0.113.7', 7860, 'served at 203.0.113.7:7860: .+'),
    ],
)
def test_an_address_that_cannot_be_had_is_named(app, host, port, message):
    with pytest.raises(OSError, match=message):
        app.find_port(host, port)


def test_all_ports_taken(app, taken, monkeypatch):
    monkeypatch.setattr(app, 'FIRST_PORT', taken)
    monkeypatch.setattr(app, 'NUM_PORTS', 1)
    with pytest.raises(OSError, match=f'ports {taken} to {taken} are in use by another program'):
        app.find_port('127.0.0.1', None)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--checkpoint', 'nowhere.pth'], "checkpoint 'nowhere.pth' does not exist"),
        ([], 'no model given, and quickstart/work has none'),
        (['--model', 'nothing.py'], '--model nothing.py needs --checkpoint'),
        (['--checkpoint', 'TINY', '--model', 'broken.py'], "config 'broken.py' cannot be read: "),
        (['--checkpoint', 'TINY', '--model', 'empty.py'], "config '.*empty.py' has no model"),
        (['--checkpoint', 'broken.py'], "checkpoint 'broken.py' is no torch file"),
        (['--checkpoint', 'TINY', '--device', 'moon'], 'device must be such as cpu'),
        (['--checkpoint', 'TINY', '--dtype', 'int8'], 'dtype must be one of'),
    ],
)
def test_other_faults_at_the_start(
    app, tiny_checkpoint, tmp_path, monkeypatch, capsys, arguments, message
):
    (tmp_path / 'broken.py').write_text('x = (')
    (tmp_path / 'empty.py').write_text('a = 1')
    monkeypatch.chdir(tmp_path)
    # as where the quickstart has not run
    monkeypatch.setattr('mmseg_remamber.apis.quickstart.latest_checkpoint', lambda folder: None)
    given = [str(tiny_checkpoint) if word == 'TINY' else word for word in arguments]
    monkeypatch.setattr(sys, 'argv', ['app.py', *given])
    assert app.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(f'error: {message}', line)


def test_examples_that_cannot_be_read_are_left_out(app, inferencer, capsys):
    cfg = inferencer.cfg.copy()
    cfg.test_dataloader.dataset.split = 'moon'
    assert app.find_examples(cfg) == []
    assert re.match('no examples: .*moon', capsys.readouterr().err)
