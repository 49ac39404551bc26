# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A page that shows what sentences mean in a picture.

    pip install -r demo/requirements.txt
    python demo/app.py [--checkpoint WEIGHTS] [--model CONFIG] [--port 7860]

Without a model it takes the one that `make quickstart` trained, and scenes of its data as examples.
It serves this machine alone unless --host says otherwise.
"""

import argparse
import errno
import html
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_remamber.analysis.interactions import draw_interactions
from mmseg_remamber.apis import ReferredMask, RefSegInferencer
from mmseg_remamber.apis.pictures import load_picture
from mmseg_remamber.apis.quickstart import choose_model
from mmseg_remamber.apis.results import shorten
from mmseg_remamber.datasets.origin import NOT_RECORDED
from mmseg_remamber.visualization.palette import MASK_COLOURS

try:
    import gradio as gr
except ModuleNotFoundError as error:
    sys.exit(f'error: the page needs {error.name}: pip install -r demo/requirements.txt')

MAX_SENTENCES = 16
MAX_UPLOAD = '20mb'
LONGEST_EXAMPLE = 60  # characters, after which gradio cuts
FIRST_PORT, NUM_PORTS = 7860, 100
_TITLE = 'What does the sentence mean?'
_WELCOME = 'The picture with its masks appears here.'
_WORKING = 'Looking for what the sentences mean ...'
_UNEXPECTED = 'Something went wrong that this page does not know; the terminal says more.'
_CSS = """
#examples td, #examples .gallery { white-space: pre-line; overflow-wrap: anywhere; }
.message { padding: 0.6em 0.8em; border-left: 0.3em solid #0072b2; overflow-wrap: anywhere; }
.message.error { border-color: #d55e00; font-weight: bold; }
.message.doubt { border-color: #e69f00; font-weight: bold; }
#scores td, #scores th { padding: 0.2em 0.4em; text-align: left; }
#scores td.sentence { overflow-wrap: anywhere; }
"""
# bring the result to the top of the screen, unless it stands in sight beside the form
_SHOW_RESULT = """() => {
    const result = document.getElementById('result'), top = result.getBoundingClientRect().top;
    const isBelow = top >= document.getElementById('find').getBoundingClientRect().bottom;
    const isInSight = top >= 0 && top <= window.innerHeight / 3;
    if (isBelow || !isInSight) result.scrollIntoView({block: 'start'});
}"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--model', help='config or its name; the one in the checkpoint by default')
    parser.add_argument('--checkpoint', help="weights, file or URL; the quickstart's by default")
    parser.add_argument('--device', help='cpu, cuda:0, ...; a GPU where there is one by default')
    parser.add_argument('--dtype', help="float32, bfloat16 or float16; the config's by default")
    parser.add_argument('--host', default='127.0.0.1', help='0.0.0.0 serves the network')
    parser.add_argument(
        '--port', type=int, help=f'by default {FIRST_PORT}, or the next one that is free'
    )
    return parser.parse_args()


def find_examples(cfg: Config) -> list[list[str]]:
    """Rows of picture and sentences, from the model's test data; none where it is not here."""
    source = dict(cfg.test_dataloader.dataset, pipeline=[])
    try:
        dataset = DATASETS.build(source)
    except FileNotFoundError:
        return []
    except (LookupError, OSError, TypeError, ValueError) as error:
        print(f'no examples: {error}', file=sys.stderr)
        return []
    sentences: dict[str, list[str]] = {}
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        sentences.setdefault(entry['img_path'], []).append(entry['text'])
    rows = [[path, '\n'.join(_few(texts[::3]))] for path, texts in sentences.items()]
    return rows[:4]


def _few(texts: list[str]) -> list[str]:
    """Up to three sentences that gradio shows whole, or the first one."""
    few: list[str] = []
    for text in texts:
        if len(few) < 3 and len('\n'.join([*few, text])) <= LONGEST_EXAMPLE:
            few.append(text)
    return few or texts[:1]


class Upload(NamedTuple):
    """A file that somebody chose: where the server keeps it, and what its owner calls it."""

    path: str
    name: str


class InputError(Exception):
    """What is wrong with what somebody chose or wrote, as the page shows it."""


class Page:
    """The page's model and what its buttons do.

    They take the picture as gradio's field has it, a dict with ``path`` and ``orig_name``, or None.
    Gradio would open the file itself, and say where the server keeps one that is no picture.
    """

    def __init__(self, inferencer: RefSegInferencer):
        self.inferencer = inferencer

    def run(self, file: dict | None, lines: str, threshold: float) -> tuple[str, dict, str]:
        """Find what the sentences mean.

        Returns:
            A message in HTML, empty where there is nothing to say; the picture with masks, (h, w,
            3) uint8 RGB, as gradio's update of its field; a table of sentences and scores in HTML.
        """
        try:
            upload, texts = _check(file, lines)
            with _readable(upload), warnings.catch_warnings():
                warnings.simplefilter('ignore')  # what they say stands in the table and above it
                picture = load_picture(upload.path, 1, shown_as=upload.name).image
                found = self.inferencer(picture, texts, threshold=threshold, return_vis=True)
        except InputError as error:
            return message(str(error), 'error'), gr.update(value=None, visible=False), ''
        (masks,), (overlay,) = found['predictions'], found['visualization']
        said = ''.join(message(_sentence(doubt.reason), 'doubt') for doubt in found['doubts'])
        return said, gr.update(value=overlay, visible=True), table_of(masks)

    def show_maps(self, file: dict | None, lines: str) -> tuple[str, dict]:
        """What each place has to do with each word of the first sentence.

        Returns:
            A message in HTML, empty where there is nothing to say; (h, w, 3) uint8 RGB, as gradio's
            update of its field.
        """
        try:
            upload, texts = _check(file, lines)
            with _readable(upload), TemporaryDirectory() as folder:
                query = self.inferencer.pipeline
                seen = query.picture(load_picture(upload.path, 1, shown_as=upload.name).image)
                batch = query.batch([seen], [query.tokens(texts[0])])
                drawn = Path(folder) / 'maps.png'
                draw_interactions(self.inferencer.model, batch, seen.rgb, texts[0], drawn)
                maps = np.array(Image.open(drawn).convert('RGB'))
        except InputError as error:
            return message(str(error), 'error'), gr.update(value=None, visible=False)
        return '', gr.update(value=maps, visible=True)


def _check(file: dict | None, lines: str | None) -> tuple[Upload, list[str]]:
    """The picture and its sentences; InputError where there is none, or are too many."""
    path = (file or {}).get('path')
    texts = [line.strip() for line in (lines or '').splitlines() if line.strip()]
    wanted = {'choose a picture': path, 'write a sentence': texts}
    missing = [what for what, given in wanted.items() if not given]
    if missing:
        raise InputError(_sentence(f'{" and ".join(missing)} first'))
    if len(texts) > MAX_SENTENCES:
        raise InputError(f'{len(texts)} sentences: at most {MAX_SENTENCES} at once.')
    return Upload(path, file.get('orig_name') or Path(path).name), texts


@contextmanager
def _readable(upload: Upload) -> Iterator[None]:
    """What a picture, a sentence or the memory do not allow, as InputError."""
    try:
        yield
    except MemoryError as error:
        raise InputError(f'There is not enough memory for {upload.name!r}.') from error
    except (ArithmeticError, OSError, TypeError, ValueError) as error:
        text = str(error).replace(upload.path, upload.name)  # its place is the server's own matter
        is_named_first = text.startswith(upload.name)
        raise InputError(text if is_named_first else _sentence(text)) from error


def _sentence(text: str) -> str:
    """With a capital and a full stop, as what stands alone."""
    return f'{text[:1].upper()}{text[1:].rstrip(".")}.'


def message(text: str, kind: str) -> str:
    """HTML of what the page says. kind: 'note', 'doubt' or 'error'."""
    role = 'status' if kind == 'note' else 'alert'
    return f'<div class="message {kind}" role="{role}">{html.escape(text)}</div>'


def table_of(masks: list[ReferredMask]) -> str:
    """HTML with a row for each sentence, in the colours of the picture."""
    rows = []
    for index, item in enumerate(masks):
        colour = 'rgb({}, {}, {})'.format(*MASK_COLOURS[index % len(MASK_COLOURS)])
        text = html.escape(shorten(item.text, 300))
        if item.truncated:
            text += f'<br><i>only the beginning was read: it has {item.num_tokens} tokens</i>'
        found = f'{item.score:.2f}' if item.mask.any() else 'nothing found'
        rows.append(
            f'<tr><td style="background: {colour}; width: 1.5em"></td><td>{index + 1}</td>'
            f'<td class="sentence">{text}</td><td>{found}</td>'
            f'<td>{100 * item.mask.mean():.1f} %</td></tr>'
        )
    head = '<tr><th></th><th></th><th>sentence</th><th>score</th><th>of the picture</th></tr>'
    return f'<table style="width: 100%"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def build_page(inferencer: RefSegInferencer, name: str, examples: list[list[str]]) -> gr.Blocks:
    """The page. name: of the model, shown on it; examples: rows of picture and sentences."""
    with gr.Blocks(title='mmseg_remamber', analytics_enabled=False) as page:
        gr.HTML(head_of(inferencer, name), elem_id='head')
        with gr.Row():
            with gr.Column():
                picture = gr.Image(
                    label='Picture', type='filepath', elem_id='picture',
                    height=320, sources=['upload', 'clipboard'],
                )  # fmt: skip
                sentences = gr.Textbox(
                    label='Sentences, one a line', lines=3,
                    placeholder='the red circle on the left', elem_id='sentences',
                )  # fmt: skip
                threshold = gr.Slider(
                    0.05, 0.95, inferencer.model.threshold, step=0.05,
                    label='Probability above which a pixel belongs to the object',
                )  # fmt: skip
                button = gr.Button('Find', variant='primary', elem_id='find')
            with gr.Column(elem_id='result'):
                said = gr.HTML(message(_WELCOME, 'note'), elem_id='said')
                overlay = gr.Image(
                    label='Masks', format='png', interactive=False, visible=False, elem_id='masks',
                    buttons=['download', 'fullscreen'],
                )  # fmt: skip
                table = gr.HTML(elem_id='scores')
        if examples:
            gr.Examples(examples, [picture, sentences], cache_examples=False, elem_id='examples')
        with gr.Accordion('What each place has to do with each word', open=False):
            maps_button = gr.Button('Show the maps of the first sentence', elem_id='show-maps')
            maps_said = gr.HTML(elem_id='maps-said')
            maps = gr.Image(
                label='Interaction maps', format='png', interactive=False, visible=False,
                elem_id='maps', buttons=['download', 'fullscreen'],
            )  # fmt: skip
        buttons = Page(inferencer)
        results = [said, overlay, table]
        # what was found before must not stand beside an error
        found = button.click(
            clear, None, results, js=_SHOW_RESULT, show_progress='hidden', api_name=False
        ).then(
            buttons.run, [picture, sentences, threshold], results,
            preprocess=False, show_progress='hidden', api_name='find',
        )  # fmt: skip
        found.then(None, js=_SHOW_RESULT)  # now that there is something below
        found.failure(unexpected, None, said, show_progress='hidden', api_name=False)
        drawn = maps_button.click(
            buttons.show_maps, [picture, sentences], [maps_said, maps],
            preprocess=False, api_name='maps',
        )  # fmt: skip
        drawn.failure(unexpected, None, maps_said, show_progress='hidden', api_name=False)
    return page


def head_of(inferencer: RefSegInferencer, name: str) -> str:
    """HTML with the page's title, the model's name and what it was trained on."""
    trained_on = html.escape(str(inferencer.trained_on or NOT_RECORDED))
    return (
        f'<h1>{_TITLE}</h1><p>Model: <code>{html.escape(name)}</code><br>'
        f'Trained on: <span id="trained-on">{trained_on}</span></p>'
    )


def clear() -> tuple[str, dict, str]:
    """Say that the model is at work; no picture and no table."""
    return message(_WORKING, 'note'), gr.update(value=None, visible=False), ''


def unexpected() -> str:
    """What is said where nothing better is known."""
    return message(_UNEXPECTED, 'error')


def find_port(host: str, port: int | None) -> int:
    """A port on which the page can be served, before anything is loaded.

    Args:
        host: name or address to serve.
        port: the one to take; None is the first that is free from 7860 on.

    Raises:
        OSError: when it is taken or not allowed, or the host is none of this machine; says so.
    """
    ports = range(FIRST_PORT, FIRST_PORT + NUM_PORTS) if port is None else [port]
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    for number in ports:
        try:
            with socket.socket(family) as probe:
                # as the server does: a port that was just given back is free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host.strip('[]'), number))
            return number
        except (OSError, OverflowError) as error:
            if getattr(error, 'errno', None) != errno.EADDRINUSE:
                why = getattr(error, 'strerror', None) or error
                raise OSError(f'the page cannot be served at {host}:{number}: {why}') from error
    taken = f'port {port} is' if port is not None else f'ports {ports[0]} to {ports[-1]} are'
    raise OSError(f'{taken} in use by another program: choose another by --port')


def serve(page: gr.Blocks, host: str, port: int | None, *, wait: bool = True):
    """Open the page to `host`; a port of None is a free one. Returns gradio's app and addresses."""
    # gradio asks its own page whether it is there, which no proxy between has to know of
    local = [os.environ.get('no_proxy', os.environ.get('NO_PROXY')), 'localhost', '127.0.0.1', host]
    os.environ['no_proxy'] = ','.join(filter(None, local))
    launched = page.launch(
        server_name=host,
        server_port=port,
        share=False,
        max_file_size=MAX_UPLOAD,
        show_error=True,
        footer_links=[],
        css=_CSS,
        prevent_thread_lock=True,
        quiet=True,
    )
    if wait:
        print(f'page: {page.local_url} (end it by Ctrl+C)', flush=True)
        page.block_thread()
    return launched


def main() -> int:
    """Exit status: 0, or 1 after saying on stderr what is wrong."""
    args = parse_args()
    try:
        port = find_port(args.host, args.port)
        model, checkpoint = choose_model(args.model, args.checkpoint)
        inferencer = RefSegInferencer(
            model, checkpoint, device=args.device, dtype=args.dtype, show_progress=False
        )
        page = build_page(inferencer, Path(checkpoint).name, find_examples(inferencer.cfg))
        print(f'model: {checkpoint}\ntrained on: {inferencer.trained_on or NOT_RECORDED}')
        if args.port is None and port != FIRST_PORT:
            print(f'port {FIRST_PORT} is in use by another program: the page takes {port}')
        serve(page, args.host, port)
    except (ArithmeticError, ImportError, KeyError, OSError, TypeError, ValueError) as error:
        text = error.args[0] if isinstance(error, KeyError) else error
        print(f'error: {text}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
