# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A page that shows what sentences mean in a picture.

    pip install -r demo/requirements.txt
    python demo/app.py [--checkpoint WEIGHTS] [--model CONFIG] [--port 7860]

Without a model it takes the one that `make quickstart` trained, and scenes of its data as examples.
It serves this machine alone unless --host says otherwise.
"""

import argparse
import html
import sys
import textwrap
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
import numpy as np
from mmengine.config import Config
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_remamber.analysis.interactions import draw_interactions
from mmseg_remamber.apis import ReferredMask, RefSegInferencer
from mmseg_remamber.apis.quickstart import choose_model
from mmseg_remamber.visualization.palette import MASK_COLOURS

MAX_SENTENCES = 16
MAX_UPLOAD = '20mb'
_TITLE = '# What does the sentence mean?'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--model', help='config or its name; the one in the checkpoint by default')
    parser.add_argument('--checkpoint', help="weights, file or URL; the quickstart's by default")
    parser.add_argument('--device', help='cpu, cuda:0, ...; a GPU where there is one by default')
    parser.add_argument('--dtype', help="float32, bfloat16 or float16; the config's by default")
    parser.add_argument('--host', default='127.0.0.1', help='0.0.0.0 serves the network')
    parser.add_argument('--port', type=int, default=7860)
    return parser.parse_args()


def find_examples(cfg: Config) -> list[list[str]]:
    """Rows of picture and sentences, from the model's test data; none where it is not here."""
    source = dict(cfg.test_dataloader.dataset, pipeline=[])
    try:
        dataset = DATASETS.build(source)
    except FileNotFoundError:
        return []
    sentences: dict[str, list[str]] = {}
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        sentences.setdefault(entry['img_path'], []).append(entry['text'])
    rows = [[path, '\n'.join(texts[::3][:3])] for path, texts in sentences.items()]
    return rows[:4]


class Page:
    """The page's model and what its button does."""

    def __init__(self, inferencer: RefSegInferencer):
        self.inferencer = inferencer

    def run(self, path: str | None, lines: str, threshold: float) -> tuple[np.ndarray, str]:
        """Picture with masks, (h, w, 3) uint8 RGB, and a table of sentences and scores in HTML.

        Raises:
            gradio.Error: what is wrong with the input, which the page shows.
        """
        texts = [line.strip() for line in lines.splitlines() if line.strip()]
        if path is None:
            raise gr.Error('Choose a picture first.', print_exception=False)
        if not texts:
            raise gr.Error('Write a sentence first.', print_exception=False)
        if len(texts) > MAX_SENTENCES:
            raise gr.Error(
                f'{len(texts)} sentences: at most {MAX_SENTENCES} at once.', print_exception=False
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # a cut sentence has its note in the table
                found = self.inferencer(path, texts, threshold=threshold, return_vis=True)
        except (OSError, ValueError) as error:
            raise gr.Error(_without_folder(str(error), path), print_exception=False) from error
        (masks,), (overlay,) = found['predictions'], found['visualization']
        return overlay, table_of(masks)

    def show_maps(self, path: str | None, lines: str) -> np.ndarray:
        """What each place has to do with each word of the first sentence, (h, w, 3) uint8 RGB.

        Raises:
            gradio.Error: what is wrong with the input, or that the model has no such maps.
        """
        text = next((line.strip() for line in lines.splitlines() if line.strip()), None)
        if path is None or text is None:
            raise gr.Error('Choose a picture and write a sentence first.', print_exception=False)
        model = self.inferencer.model
        try:
            query = self.inferencer.pipeline
            seen = query.picture(path)
            batch = query.batch([seen], [query.tokens(text)])
            with TemporaryDirectory() as folder:
                picture = Path(folder) / 'maps.png'
                draw_interactions(model, batch, seen.rgb, text, picture)
                return np.array(Image.open(picture).convert('RGB'))
        except (OSError, ValueError) as error:
            raise gr.Error(_without_folder(str(error), path), print_exception=False) from error


def table_of(masks: list[ReferredMask]) -> str:
    """HTML with a row for each sentence, in the colours of the picture."""
    rows = []
    for index, item in enumerate(masks):
        colour = 'rgb({}, {}, {})'.format(*MASK_COLOURS[index % len(MASK_COLOURS)])
        text = html.escape(textwrap.shorten(item.text, 300, placeholder='...'))
        if item.truncated:
            text += f'<br><i>only the beginning was read: it has {item.num_tokens} tokens</i>'
        found = f'{item.score:.2f}' if item.mask.any() else 'nothing found'
        rows.append(
            f'<tr><td style="background: {colour}; width: 1.5em"></td><td>{index + 1}</td>'
            f'<td>{text}</td><td>{found}</td><td>{100 * item.mask.mean():.1f} %</td></tr>'
        )
    head = '<tr><th></th><th></th><th>sentence</th><th>score</th><th>of the picture</th></tr>'
    return f'<table style="width: 100%"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def build_page(inferencer: RefSegInferencer, name: str, examples: list[list[str]]) -> gr.Blocks:
    """The page. name: of the model, shown on it; examples: rows of picture and sentences."""
    with gr.Blocks(title='mmseg_remamber', analytics_enabled=False) as page:
        gr.Markdown(f'{_TITLE}\nModel: `{name}`. One sentence a line.')
        with gr.Row():
            with gr.Column():
                # the file as it is: the inferencer turns it by its EXIF tag and lays it on white
                picture = gr.Image(
                    label='Picture', type='filepath', image_mode=None, elem_id='picture',
                    height=320, sources=['upload', 'clipboard'],
                )  # fmt: skip
                sentences = gr.Textbox(
                    label='Sentences', lines=4, placeholder='the red circle on the left',
                    elem_id='sentences',
                )  # fmt: skip
                threshold = gr.Slider(
                    0.05, 0.95, inferencer.model.threshold, step=0.05,
                    label='Probability above which a pixel belongs to the object',
                )  # fmt: skip
                button = gr.Button('Find', variant='primary', elem_id='find')
            with gr.Column():
                overlay = gr.Image(
                    label='Masks',
                    format='png',
                    interactive=False,
                    elem_id='masks',
                    buttons=['download', 'fullscreen'],
                )
                table = gr.HTML(elem_id='scores')
        with gr.Accordion('What each place has to do with each word', open=False):
            maps_button = gr.Button('Show the maps of the first sentence', elem_id='show-maps')
            maps = gr.Image(
                label='Interaction maps', format='png', interactive=False, elem_id='maps',
                buttons=['download', 'fullscreen'],
            )  # fmt: skip
        if examples:
            gr.Examples(examples, [picture, sentences], cache_examples=False)
        page_of_model = Page(inferencer)
        inputs = [picture, sentences, threshold]
        outputs = [overlay, table]
        # what was found before must not stand beside an error
        cleared = button.click(clear, None, outputs, show_progress='hidden', api_name=False)
        cleared.then(page_of_model.run, inputs, outputs, api_name='find')
        maps_button.click(page_of_model.show_maps, [picture, sentences], maps, api_name='maps')
    return page


def clear() -> tuple[None, str]:
    """No picture and no table."""
    return None, ''


def _without_folder(message: str, path: str) -> str:
    """A message that shows the file's name but not where the server keeps it."""
    return message.replace(path, Path(path).name)


def serve(page: gr.Blocks, host: str, port: int | None, *, wait: bool = True):
    """Open the page to `host`; a port of None is a free one. Returns gradio's app and addresses."""
    return page.launch(
        server_name=host,
        server_port=port,
        max_file_size=MAX_UPLOAD,
        show_error=True,
        footer_links=[],
        prevent_thread_lock=not wait,
        quiet=not wait,
    )


def main() -> None:
    args = parse_args()
    try:
        model, checkpoint = choose_model(args.model, args.checkpoint)
        inferencer = RefSegInferencer(
            model, checkpoint, device=args.device, dtype=args.dtype, show_progress=False
        )
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f'error: {error}')
    page = build_page(inferencer, Path(checkpoint).name, find_examples(inferencer.cfg))
    serve(page, args.host, args.port)


if __name__ == '__main__':
    main()
